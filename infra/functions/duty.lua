-- Note that a process serves a kind, or ask how many do (ENGINE 17).
-- KEYS[1] duty   ARGV[1] process ('' asks only)   ARGV[2] lease, ms (0 goes off duty)
-- Returns how many processes are on duty.
local function serve(keys, args)
  local now = clock()
  redis.call('ZREMRANGEBYSCORE', keys[1], '-inf', whole(now))
  if args[1] ~= '' and args[2] == '0' then
    redis.call('ZREM', keys[1], args[1])
  elseif args[1] ~= '' then
    redis.call('ZADD', keys[1], whole(now + args[2]), args[1])
  end
  return redis.call('ZCARD', keys[1])
end

-- See what a tenant has to do, and take it as a sign of life of its workers (ENGINE 1, 12).
-- KEYS three for each kind: wait, held, apart   ARGV[1] heartbeat, ms
-- Returns three for each kind: ms until it is to be looked at (-1 never), lanes due, lanes held.
local function look(keys, args)
  local now, answer = clock(), {}
  for n = 1, #keys, 3 do
    local held, apart = redis.call('ZCARD', keys[n + 1]), redis.call('ZCARD', keys[n + 2])
    local at = tonumber(first(keys[n]))
    local delay = at >= 0 and math.max(0, at - now) or -1
    if held > 0 then
      watch(keys[n + 1], now, tonumber(args[1]))
    end
    if held + apart > 0 then
      delay = delay < 0 and 1000 or math.min(delay, 1000)
    end
    answer[n], answer[n + 2] = delay, held
    answer[n + 1] = redis.call('ZCOUNT', keys[n], '-inf', whole(now)) + apart
  end
  return answer
end

offer('duty', serve, 'allow-oom')
offer('look', look, 'no-writes')
