-- Returns the value and how many milliseconds it has left (-1: no expiry), or
-- nil. Both in one step, so that they belong together.
local value = redis.call('GET', KEYS[1])
if not value then
  return false
end
return {value, redis.call('PTTL', KEYS[1])}
