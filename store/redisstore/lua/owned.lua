-- Returns of each live entry: id, value as index.lua wrote it, and for how many
-- milliseconds it has been there. It writes nothing, so that it works on a server that
-- takes no writes: index.lua removes what has expired.
if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then
  return {}
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local entries = redis.call('HGETALL', KEYS[1])
local live = {}
for i = 1, #entries, 2 do
  local created, expires = string.match(entries[i + 1], '^(%d+) (%d+) ')
  if created and tonumber(expires) > now then
    live[#live + 1] = entries[i]
    live[#live + 1] = entries[i + 1]
    live[#live + 1] = now - created
  end
end
return live
