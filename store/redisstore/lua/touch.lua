-- ARGV: the expected version, the milliseconds to live.
if redis.call('GETRANGE', KEYS[1], 0, 15) == ARGV[1] then
  return redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return 0
