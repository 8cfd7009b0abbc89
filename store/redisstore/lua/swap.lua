-- ARGV: the expected version ('' for no record), the new value, its
-- milliseconds to live.
--
-- Returns 1 if it wrote, and otherwise what find.lua would: a caller that lost
-- the race has what it needs for the next attempt.
if ARGV[1] == '' then
  if redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3], 'NX') then
    return 1
  end
elseif redis.call('GETRANGE', KEYS[1], 0, 15) == ARGV[1] then
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
  return 1
end
local value = redis.call('GET', KEYS[1])
if not value then
  return false
end
return {value, redis.call('PTTL', KEYS[1])}
