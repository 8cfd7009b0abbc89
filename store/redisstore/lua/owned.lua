-- Returns of each live entry: id, value as index.lua wrote it, and for how many
-- milliseconds it has been there.
if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then
  return {}
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local entries = redis.call('HGETALL', KEYS[1])
local live = {}
for i = 1, #entries, 2 do
  local created, expires = string.match(entries[i + 1], '^(%d+) (%d+) ')
  if not created or tonumber(expires) <= now then
    redis.call('HDEL', KEYS[1], entries[i])
  else
    live[#live + 1] = entries[i]
    live[#live + 1] = entries[i + 1]
    live[#live + 1] = now - created
  end
end
return live
