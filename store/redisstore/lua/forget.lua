-- ARGV: pairs of an id and the value that was seen there. An entry that was
-- indexed again since then has another value and stays.
if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then
  return 0
end
local removed = 0
for i = 1, #ARGV, 2 do
  if redis.call('HGET', KEYS[1], ARGV[i]) == ARGV[i + 1] then
    removed = removed + redis.call('HDEL', KEYS[1], ARGV[i])
  end
end
return removed
