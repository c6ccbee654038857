-- Keep lanes whose tasks live: one call for the lanes of one tenant and kind.
-- KEYS[1] held   KEYS[2..] lane records
-- ARGV[1] lease, ms   ARGV[2] heartbeat, ms   then two for each lane: name, claim id
-- Returns for each lane 1, or 0 if its claim is lost. A lease that expired but that nobody has
-- claimed is revived (ENGINE 11).
local function heartbeat(keys, args)
  local now, answers = clock(), {}
  local until_ = whole(now + args[1])
  watch(keys[1], now, tonumber(args[2]))
  for n = 2, #keys do
    local lane, claim = args[2 * n - 1], args[2 * n]
    local ours = redis.call('HGET', keys[n], 'c') == claim
    answers[n - 1] = ours and 1 or 0
    if ours then
      redis.call('ZADD', keys[1], until_, lane)
    end
  end
  return answers
end

-- Give a lane back untouched: nothing of it was tried (L5), so nothing is counted.
-- KEYS[1] lane record  KEYS[2] items  KEYS[3] wait  KEYS[4] held  KEYS[5] shut  KEYS[6] busy
-- ARGV[1] claim id  ARGV[2] lane  ARGV[3] not before, ms from now ('' as it was)
-- Returns as `rest` does; -2 if it was not ours, which is as good.
local function release(keys, args)
  local now, fields = clock(), record(keys[1])
  if fields.c ~= args[1] then
    return -2
  end
  if args[3] ~= '' then
    fields.nb = whole(now + args[3])
    redis.call('HSET', keys[1], 'nb', fields.nb)
  end
  local woke = leave_group(keys[6], keys[5], keys[3], fields, now)
  redis.call('HDEL', keys[1], 'c', 'b')
  redis.call('ZREM', keys[4], args[2])
  local when = settle({ lane = keys[1], items = keys[2], wait = keys[3] }, args[2], fields, now)
  return rest(when, woke, now)
end

offer('heartbeat', heartbeat, 'allow-oom')
offer('release', release, 'allow-oom')
