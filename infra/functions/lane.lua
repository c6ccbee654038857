-- What every function shares: the store's clock, remembered calls, a lane's record, its due time.
--
-- A lane's record is a hash that exists only while there is something to say:
--   c  claim id of its holder      nb  not before, ms             g  group
--   f  failures in a row           x   expired leases in a row    p  why it is parked
--   s  its member of `shut`        b   its member of `busy`       t:<name>  a timer, ms
--   m  hints so far                z   hints that were handled
-- A lane that waits with items and nothing else has no record at all.

-- Offer a function under the library's name. Flag 'allow-oom' lets it write above maxmemory: only
-- what makes new work goes without (ENGINE 14).
local function offer(name, callback, flag)
  redis.register_function({
    function_name = LIBRARY .. name, callback = callback, flags = { flag },
  })
end

local SLOT = 10000 -- ms; a call is remembered for at least one slot, at most two
local SEEN_SLOT = 600000 -- ms
local SEEN_KEEP = 6300000 -- ms: 105 minutes, so that each key is remembered for at least 95
-- After so many expired leases in a row a lane is worked apart, with so many like it at most: first
-- with many, for most of them only met kills of others, then with few, then alone (ENGINE 13).
local APART_AFTER, COMPANY = 2, { 64, 8, 1 }
local AT_ONCE = 64 -- items that one claim shows, lanes that one opening gate wakes

-- The store's time in milliseconds: the only clock that functions know (ENGINE 16).
local function clock()
  local now = redis.call('TIME')
  return now[1] * 1000 + math.floor(now[2] / 1000)
end

-- A whole number as text: Lua would write a moment as 1.7953e+12.
local function whole(number)
  return string.format('%.0f', number)
end

-- A call that may have been made before comes as "?<call id>".
local function call_id(call)
  return call:sub(1, 1) == '?' and call:sub(2) or call
end

-- The answer that a call was given before, or false (ENGINE 8).
local function recall(calls, call, now)
  if call:sub(1, 1) ~= '?' then
    return false
  end
  local slot, id = math.floor(now / SLOT), call_id(call)
  return redis.call('HGET', calls[slot % 3 + 1], id)
    or redis.call('HGET', calls[(slot + 2) % 3 + 1], id)
end

-- Which keys have their end already: key -> slot. A server that forgot sets it once more.
local ending, ends = {}, 0

-- Remember the answer of a call. The three keys take turns and expire whole.
local function remember(calls, call, now, answer)
  local slot = math.floor(now / SLOT)
  local key = calls[slot % 3 + 1]
  redis.call('HSET', key, call_id(call), answer)
  if ending[key] ~= slot then
    redis.call('PEXPIRE', key, 2 * SLOT)
    if ends > 10000 then
      ending, ends = {}, 0
    end
    ending[key], ends = slot, ends + 1
  end
end

-- A lane's record as a table; empty when there is none.
local function record(key)
  local flat, fields = redis.call('HGETALL', key), {}
  for i = 1, #flat, 2 do
    fields[flat[i]] = flat[i + 1]
  end
  return fields
end

local function marked(fields)
  return fields.m and fields.m ~= fields.z
end

-- When the lane may next be touched; nil when nothing will ever ask for it (ENGINE 2).
local function due(fields, filled, now)
  local at
  if filled or marked(fields) then
    at = now
  end
  for name, value in pairs(fields) do
    if name:sub(1, 2) == 't:' then
      at = math.min(at or math.huge, tonumber(value))
    end
  end
  local not_before = tonumber(fields.nb or 0)
  if not at then
    return not_before > now and not_before or nil
  end
  return math.max(at, not_before)
end

-- The members of a sorted set whose moment has come, first ones first.
local function come(set, now, most)
  return redis.call('ZRANGEBYSCORE', set, '-inf', whole(now), 'LIMIT', 0, most)
end

-- Put a lane that nobody holds where it waits; `filled` says whether there are items, if that is
-- known. Returns its due moment, or -1 when it is empty: then its record is to be deleted.
local function wait_on(at, lane, fields, now, filled)
  if filled == nil then
    filled = redis.call('EXISTS', at.items) == 1
  end
  local when = due(fields, filled, now)
  if not when then
    return -1
  end
  redis.call('ZADD', at.wait, whole(when), lane)
  return when
end

-- The same, and forget it when it is empty.
local function settle(at, lane, fields, now, filled)
  local when = wait_on(at, lane, fields, now, filled)
  if when < 0 then
    redis.call('DEL', at.lane)
  end
  return when
end

local function oldest(at)
  return redis.call('LRANGE', at.items, 0, AT_ONCE - 1)
end

-- What a claim shows of a lane beside its oldest items, as lines: hints, failures, expired leases,
-- then name and moment of each due timer. One text: a table costs as much as two commands.
local function view(fields, now)
  local head = (marked(fields) and fields.m or '0')
    .. '\n' .. (fields.f or '0') .. '\n' .. (fields.x or '0')
  for name, value in pairs(fields) do
    if name:sub(1, 2) == 't:' and tonumber(value) <= now then
      head = head .. '\n' .. name:sub(3) .. '\n' .. value
    end
  end
  return head
end

-- The members of one group in a set whose scores are all 0: "<group>\n...".
local function of_group(group)
  return '[' .. group .. '\n', '(' .. group .. '\11'
end

-- Wake up to `most` lanes of a group that were shut, oldest first. Returns how many woke, and
-- whether more remain.
local function wake(shut, wait, group, now, most)
  local from, to = of_group(group)
  local members = redis.call('ZRANGEBYLEX', shut, from, to, 'LIMIT', 0, most)
  for _, member in ipairs(members) do
    redis.call('ZREM', shut, member)
    redis.call('ZADD', wait, 'LT', whole(now), member:match('\n%d+\n(.*)$'))
  end
  return #members, redis.call('ZLEXCOUNT', shut, from, to) > 0
end

-- Take the lane from its holder's count in its group, and let the next of the group go. Returns
-- whether one went.
local function leave_group(busy, shut, wait, fields, now)
  if not fields.b then
    return false
  end
  redis.call('ZREM', busy, fields.b)
  return wake(shut, wait, fields.b:match('^(.-)\n'), now, 1) > 0
end

-- What a function answers whose lane was let go: ms until its tenant has something due, -1 never.
local function rest(when, woke, now)
  if woke then
    return 0
  end
  return when < 0 and when or math.max(when - now, 0)
end

-- Whether this key was posted in the last 95 minutes; if not, note it (ENGINE 20).
local function seen(buckets, once, now)
  for _, bucket in ipairs(buckets) do
    if redis.call('SISMEMBER', bucket, once) == 1 then
      return true
    end
  end
  local bucket = buckets[math.floor(now / SEEN_SLOT) % #buckets + 1]
  redis.call('SADD', bucket, once)
  if redis.call('SCARD', bucket) == 1 then
    redis.call('PEXPIRE', bucket, SEEN_KEEP)
  end
  return false
end

-- Read one post from ARGV at i: lane, element ('' is none), mark, group ('' leaves it), once
-- ('' is none), number of timers, then name and delay in ms of each. Raises on anything else.
-- Returns the post and the index after it.
local function read_post(args, i)
  local post = {
    lane = args[i], element = args[i + 1], mark = args[i + 2] == '1',
    group = args[i + 3], once = args[i + 4], timers = {},
  }
  local count = tonumber(args[i + 5])
  i = i + 6
  for _ = 1, count do
    post.timers[#post.timers + 1] = { name = args[i], delay = assert(tonumber(args[i + 1])) }
    i = i + 2
  end
  return post, i
end

-- The five keys of a lane that is posted to, from KEYS at k.
local function lane_keys(keys, k)
  return {
    lane = keys[k], items = keys[k + 1], wait = keys[k + 2], held = keys[k + 3], shut = keys[k + 4],
  }
end

-- Set a timer, never to the very moment it has: who claimed the lane for that one would consume
-- the new one with it. Returns its moment.
local function set_timer(key, name, at)
  if redis.call('HGET', key, 't:' .. name) == whole(at) then
    at = at + 1
  end
  redis.call('HSET', key, 't:' .. name, whole(at))
  return at
end

-- Keep one post and mark its lane due. A held, shut or parked lane is only added to (ENGINE 3),
-- and the lane's not_before stands (ENGINE 2). Returns 'N' for new, 'S' for seen before.
local function keep(at, post, buckets, now)
  if post.once ~= '' and seen(buckets, post.once, now) then
    return 'S'
  end
  local known = redis.call('HMGET', at.lane, 'nb', 'p', 's', 'g')
  local when = math.huge
  if post.element ~= '' then
    redis.call('RPUSH', at.items, post.element)
    when = now
  end
  if post.mark then
    redis.call('HINCRBY', at.lane, 'm', 1)
    when = now
  end
  for _, timer in ipairs(post.timers) do
    when = math.min(when, set_timer(at.lane, timer.name, now + timer.delay))
  end
  local shut = known[3] and redis.call('ZSCORE', at.shut, known[3])
  if post.group ~= '' and post.group ~= known[4] then
    redis.call('HSET', at.lane, 'g', post.group)
    if shut then -- it waits at the gate of a group that it has left
      redis.call('ZREM', at.shut, known[3])
      shut, when = false, now
    end
  end
  if shut or known[2] or redis.call('ZSCORE', at.held, post.lane) then
    return 'N'
  end
  if when < math.huge then
    redis.call('ZADD', at.wait, 'LT', whole(math.max(when, tonumber(known[1] or 0))), post.lane)
  end
  return 'N'
end
