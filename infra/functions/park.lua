-- Lay a lane aside until a person retries it. A holder's claim ends with it.
-- KEYS[1] lane record  KEYS[2] wait  KEYS[3] held  KEYS[4] apart  KEYS[5] shut  KEYS[6] busy
-- KEYS[7] parked
-- ARGV[1] lane  ARGV[2] reason
-- Returns as `rest` does.
local function park_lane(keys, args)
  local now, lane = clock(), args[1]
  local woke = leave_group(keys[6], keys[5], keys[2], record(keys[1]), now)
  for n = 2, 4 do
    redis.call('ZREM', keys[n], lane)
  end
  redis.call('HDEL', keys[1], 'c', 'b')
  redis.call('HSET', keys[1], 'p', args[2])
  redis.call('ZADD', keys[7], whole(now), lane)
  return rest(-1, woke, now)
end

-- A person's retry: forget failures, waits and why it was parked. A held lane is left alone.
-- KEYS[1] lane record  KEYS[2] items  KEYS[3] wait  KEYS[4] held  KEYS[5] apart  KEYS[6] parked
-- ARGV[1] lane
-- Returns as `rest` does.
local function retry(keys, args)
  local now, lane = clock(), args[1]
  if redis.call('ZSCORE', keys[4], lane) then
    return -1
  end
  redis.call('ZREM', keys[3], lane)
  redis.call('ZREM', keys[5], lane)
  redis.call('ZREM', keys[6], lane)
  redis.call('HDEL', keys[1], 'p', 'nb', 'f', 'x')
  local at = { lane = keys[1], items = keys[2], wait = keys[3] }
  local when = settle(at, lane, record(keys[1]), now)
  return rest(when, false, now)
end

offer('park', park_lane)
offer('retry', retry, 'allow-oom')
