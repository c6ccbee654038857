-- Use up some of a quota, if enough is left (quota books: calls a day, writes of a host).
-- KEYS[1..3] calls   KEYS[4] book, a count that expires with its window
-- ARGV[1] call id   ARGV[2] how much   ARGV[3] limit   ARGV[4] end of the window, ms since 1970
-- Returns what is left, or -1: refused until the window ends.
local function reserve(keys, args)
  local calls, now = { keys[1], keys[2], keys[3] }, clock()
  local known = recall(calls, args[1], now)
  if known then
    return tonumber(known)
  end
  local used = tonumber(redis.call('GET', keys[4]) or 0)
  local left = tonumber(args[3]) - used - tonumber(args[2])
  if left < 0 then
    return -1
  end
  redis.call('INCRBY', keys[4], args[2])
  if used == 0 then
    redis.call('PEXPIREAT', keys[4], args[4])
  end
  remember(calls, args[1], now, left)
  return left
end

-- Hand out the next moment of a paced sequence: a time, never a refusal (ENGINE 4).
-- KEYS[1] pace, the moment from which the next is free
-- ARGV[1] ms between two   ARGV[2] how many may come at once after a rest
-- Returns ms to wait.
local function pace(keys, args)
  local now, every = clock(), tonumber(args[1])
  local free = math.max(tonumber(redis.call('GET', keys[1]) or 0), now - every * (args[2] - 1))
  local next_ = free + every
  redis.call('SET', keys[1], whole(next_), 'PX', whole(math.max(1, next_ - now) + every * args[2]))
  return math.max(0, math.ceil(free - now))
end

-- Take one out of a bucket that fills by itself, if one is there.
-- KEYS[1] bucket, the moment when it will be full again, ms
-- ARGV[1] its size   ARGV[2] how many it gains in a second
-- Returns {what is left, ms until it is full}, or {-1, ms until there is one}.
local function draw(keys, args)
  local now, each = clock(), 1000 / args[2]
  local full = math.max(tonumber(redis.call('GET', keys[1]) or 0), now)
  local left = args[1] - (full - now) / each - 1
  if left < 0 then
    return { -1, math.ceil(-left * each) }
  end
  full = full + each
  redis.call('SET', keys[1], string.format('%.3f', full), 'PX', whole(full - now + 1000))
  return { math.floor(left), math.ceil(full - now) }
end

-- Take a place among the calls that may be under way at once, and one of a window's calls.
-- KEYS[1] places, holder -> when its place is free again at the latest   KEYS[2] book of the window
-- ARGV[1] holder   ARGV[2] how many may be under way   ARGV[3] ms that a place is held at most
-- ARGV[4] how many the window has   ARGV[5] end of the window, ms since 1970
-- Returns 1: taken, by this holder or by its call before; 0: no place is free; -1: the window's are used up.
local function enter(keys, args)
  local now = clock()
  redis.call('ZREMRANGEBYSCORE', keys[1], '-inf', whole(now))
  if redis.call('ZSCORE', keys[1], args[1]) then
    return 1
  end
  if redis.call('ZCARD', keys[1]) >= tonumber(args[2]) then
    return 0
  end
  local used = tonumber(redis.call('GET', keys[2]) or 0)
  if used >= tonumber(args[4]) then
    return -1
  end
  redis.call('ZADD', keys[1], whole(now + args[3]), args[1])
  redis.call('PEXPIRE', keys[1], args[3])
  redis.call('INCR', keys[2])
  if used == 0 then
    redis.call('PEXPIREAT', keys[2], args[5])
  end
  return 1
end

-- Give a place back; given back already is done.
-- KEYS[1] places   ARGV[1] holder
local function leave(keys, args)
  return redis.call('ZREM', keys[1], args[1])
end

offer('reserve', reserve, 'allow-oom')
offer('pace', pace, 'allow-oom')
offer('draw', draw, 'allow-oom')
offer('enter', enter, 'allow-oom')
offer('leave', leave, 'allow-oom')
