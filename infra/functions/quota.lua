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

offer('reserve', reserve, 'allow-oom')
offer('pace', pace, 'allow-oom')
offer('draw', draw, 'allow-oom')
