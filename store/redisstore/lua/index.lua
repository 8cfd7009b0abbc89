-- ARGV: id, ref, milliseconds to live.
--
-- The index is a hash from id to 'created expires ref', both times in
-- milliseconds of this server's clock, the only one that all processes share.
-- It lives as long as its last entry.
local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'hash' and kind ~= 'none' then
  redis.call('DEL', KEYS[1])
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local last = now + ARGV[3]
local listed = redis.call('HGET', KEYS[1], ARGV[1])
if listed then
  last = math.max(last, tonumber(string.match(listed, '^%d+ (%d+) ')) or 0)
end
-- Before anything else is written: a server that is out of memory refuses the
-- first write of a script only.
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f %.0f ', now, last) .. ARGV[2])
local entries = redis.call('HGETALL', KEYS[1])
for i = 1, #entries, 2 do
  local expires = tonumber(string.match(entries[i + 1], '^%d+ (%d+) '))
  if not expires or expires <= now then
    redis.call('HDEL', KEYS[1], entries[i])
  elseif expires > last then
    last = expires
  end
end
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', last - now))
return 1
