-- Which tenants have something due, in turn. An index outside the tenants' slots: a hint that
-- `look` repairs (ENGINE 1). Scores are microseconds, so that a visit can be told from a ring.

local function micros()
  local now = redis.call('TIME')
  return now[1] * 1000000 + now[2]
end

-- Say that a tenant has work, and wake a worker with its name if that is news.
-- KEYS[1] turn  KEYS[2] ring  KEYS[3] duty  KEYS[4] bell
-- ARGV[1] ms until the doorbell may ring again  then two for each tenant: name, ms until it is due
-- Returns 1 if no process is on duty and the caller shall ring the doorbell, else 0.
local function ring(keys, args)
  local now, news = micros(), false
  for n = 2, #args, 2 do
    local at = now + args[n + 1] * 1000
    local known = tonumber(redis.call('ZSCORE', keys[1], args[n]))
    if not known or known > at then
      redis.call('ZADD', keys[1], whole(at), args[n])
      if at - now < 1000000 and (not known or known > now) then
        news = news or args[n]
      end
    end
  end
  if not news then
    return 0
  end
  redis.call('LPUSH', keys[2], news)
  redis.call('LTRIM', keys[2], 0, 15)
  local on_duty = redis.call('ZREVRANGE', keys[3], 0, 0, 'WITHSCORES')[2]
  if on_duty and tonumber(on_duty) > now / 1000 then
    return 0
  end
  return redis.call('SET', keys[4], '1', 'NX', 'PX', args[1]) and 1 or 0
end

-- How many ms until the first tenant of the index is due; -1 when it is empty.
local function until_first(turn, now)
  local at = redis.call('ZRANGE', turn, 0, 0, 'WITHSCORES')[2]
  return at and math.max(0, math.ceil((at - now) / 1000)) or -1
end

-- Take the tenants whose turn it is. Until their visit is settled they look due in a second, so
-- that a worker killed in between delays them by no more than that.
-- KEYS[1] turn  ARGV[1] at most  ARGV[2] ms of that delay
-- Returns how many are due, ms until the next (-1 none), then name and visit of each.
local function turns(keys, args)
  local now = micros()
  local fallback = whole(now + args[2] * 1000)
  local waiting = redis.call('ZCOUNT', keys[1], '-inf', whole(now))
  local answer = { waiting, -1 }
  for _, tenant in ipairs(come(keys[1], now, args[1])) do
    redis.call('ZADD', keys[1], fallback, tenant)
    answer[#answer + 1] = tenant
    answer[#answer + 1] = fallback
  end
  answer[2] = until_first(keys[1], now)
  return answer
end

-- Say when each visited tenant is due again, unless somebody rang for it meanwhile.
-- KEYS[1] turn   ARGV three for each tenant: name, visit, ms until it is due (-1 never)
-- A tenant with work left is due at once, behind all that are due already (ENGINE 5).
-- Returns ms until the next tenant is due, -1 none.
local function settle_turns(keys, args)
  local now = micros()
  for n = 1, #args, 3 do
    if redis.call('ZSCORE', keys[1], args[n]) == args[n + 1] then
      if args[n + 2] == '-1' then
        redis.call('ZREM', keys[1], args[n])
      else
        redis.call('ZADD', keys[1], whole(now + args[n + 2] * 1000), args[n])
      end
    end
  end
  return until_first(keys[1], now)
end

offer('ring', ring, 'allow-oom')
offer('turns', turns, 'allow-oom')
offer('settle', settle_turns, 'allow-oom')
