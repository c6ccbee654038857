-- Give taken lanes to their holder, or put them where they belong. This function alone judges
-- whether a lane may be worked: the waiting set may name a lane too early, never too late.
-- KEYS[1] wait   KEYS[2] held   KEYS[3] apart   KEYS[4] shut   KEYS[5] parked   KEYS[6] gates
-- KEYS[7] busy   KEYS[8..] two for each lane: record, items
-- ARGV[1] lease end that `take` gave, ms   then three for each lane: name, claim id, how it came
-- Returns for each lane its view, how many items follow, and these; or only ''; or only 'apart' if it
-- waits for an empty worker now.
-- A lane that was only glanced at ('g') is laid aside if its gate is shut, else left where it waits.
-- A second call with the same claim id answers the same and counts nothing.

-- A group's gate: closed until (ms; 0 open, -1 until opened), how many may be held (nil any).
local function gate(gates, group)
  local row = redis.call('HGET', gates, group)
  if not row then
    return 0, nil
  end
  local closed, limit = row:match('^(%-?%d+)\n(%d*)\n')
  return tonumber(closed), tonumber(limit)
end

-- Until when the gate lets nobody in: 0 somebody may come in, infinite until it is opened. `counted`
-- says that the lane is one of those that are counted already. Then whether it counts at all.
local function barred(keys, group, counted, now)
  local closed, limit = gate(keys[6], group)
  if closed == -1 then
    return math.huge, limit
  elseif closed > now then
    return closed, limit
  elseif limit and not counted
    and redis.call('ZLEXCOUNT', keys[7], of_group(group)) >= limit then
    -- The next lane that is let go wakes one of its own kind; lanes of other kinds look by time.
    return now + 1000, limit
  end
  return 0, limit
end

local row = 0 -- the last place in a row before a gate: microseconds, and never the same twice
local laid_aside = 0 -- lanes, by this call of `open`

-- Lay the lane aside until its group's gate opens; `when` is when the gate looks by itself.
-- A lane that was woken in vain keeps its place in the row.
local function shut_out(keys, lane, at, fields, now, when)
  local member = fields.s
  if not member or member:match('^(.-)\n') ~= fields.g then
    row = math.max(row + 1, now * 1000)
    member = fields.g .. '\n' .. whole(row) .. '\n' .. lane
    redis.call('HSET', at.lane, 's', member)
  end
  redis.call('ZADD', keys[4], 0, member)
  if when < math.huge then
    redis.call('ZADD', keys[1], 'LT', whole(when), '@' .. fields.g)
  end
  laid_aside = laid_aside + 1
end

-- Whether the lane's group lets it through. If not, it has been laid aside.
local function passes(keys, lane, at, fields, now)
  if not fields.g then
    return true
  end
  local when, limit = barred(keys, fields.g, fields.b, now)
  if when > 0 then
    shut_out(keys, lane, at, fields, now, when)
    redis.call('HDEL', at.lane, 'c', 'b')
    redis.call('ZREM', keys[2], lane)
    if fields.b then
      redis.call('ZREM', keys[7], fields.b)
    end
    return false
  end
  if limit and not fields.b then
    fields.b = fields.g .. '\n' .. lane
    redis.call('ZADD', keys[7], 0, fields.b)
    redis.call('HSET', at.lane, 'b', fields.b)
  end
  return true
end

-- Lay aside a lane that nobody has taken, if it is due before a gate that lets nobody in. One that
-- is to be worked apart goes its own way, see `harmless`.
local function glance(keys, lane, at, now)
  local fields = record(at.lane)
  if not fields.g or fields.c or fields.p or tonumber(fields.x or 0) >= APART_AFTER
    or not redis.call('ZSCORE', keys[1], lane) then
    return
  end
  local when = barred(keys, fields.g, nil, now)
  if when == 0 then
    return
  end
  local ripe_at = due(fields, redis.call('EXISTS', at.items) == 1, now)
  if ripe_at and ripe_at <= now then
    shut_out(keys, lane, at, fields, now, when)
    redis.call('ZREM', keys[1], lane)
  end
end

local function park(keys, lane, at, fields, reason, now)
  leave_group(keys[7], keys[4], keys[1], fields, now)
  redis.call('HDEL', at.lane, 'c', 'b')
  redis.call('HSET', at.lane, 'p', reason)
  redis.call('ZREM', keys[1], lane)
  redis.call('ZREM', keys[2], lane)
  redis.call('ZREM', keys[3], lane)
  redis.call('ZADD', keys[5], whole(now), lane)
end

-- Whether the lane may be worked by a worker that holds others, or 'apart'. A lane whose lease
-- expired twice is worked apart; when it has expired three times like that, not at all (ENGINE 13).
local function harmless(keys, lane, at, fields, came, now)
  if came == 'x' and fields.c then
    fields.x = redis.call('HINCRBY', at.lane, 'x', 1)
  end
  local expired = tonumber(fields.x or 0)
  if expired >= APART_AFTER + #COMPANY then
    park(keys, lane, at, fields, 'poison', now)
    return false
  end
  if expired >= APART_AFTER and came ~= 'l' then
    leave_group(keys[7], keys[4], keys[1], fields, now)
    redis.call('HDEL', at.lane, 'c', 'b')
    redis.call('ZREM', keys[2], lane)
    redis.call('ZADD', keys[3], expired, lane)
    return 'apart'
  end
  return true
end

-- Whether there is anything to do in it now. If not, it waits for its time or is forgotten.
local function ripe(keys, lane, at, fields, now, filled)
  local when = due(fields, filled, now)
  if when and when <= now then
    return true
  end
  leave_group(keys[7], keys[4], keys[1], fields, now)
  redis.call('HDEL', at.lane, 'c', 'b')
  redis.call('ZREM', keys[2], lane)
  settle(at, lane, fields, now, filled)
  return false
end

-- Its view and its items; nil if it may not be worked now; or 'apart'.
local function open_lane(keys, lane, at, fields, claim, came, now)
  local items = oldest(at)
  if fields.c ~= claim then
    if fields.p then
      redis.call('ZREM', keys[2], lane)
      return nil
    end
    local ours = not fields.c or came == 'x'
    local may = ours and harmless(keys, lane, at, fields, came, now)
    if may ~= true then
      return may or nil
    end
    if not ripe(keys, lane, at, fields, now, #items > 0)
      or not passes(keys, lane, at, fields, now) then
      return nil
    end
    redis.call('HSET', at.lane, 'c', claim)
    if fields.s then
      redis.call('HDEL', at.lane, 's')
    end
  end
  return view(fields, now), items
end

-- Where the lanes of a call are held until, false if not, and whether any has a record: asked for
-- all at once, for in a script every command costs more than its work.
local function known_of(keys, args)
  local names, records = {}, {}
  for n = 1, (#args - 1) / 3 do
    names[n], records[n] = args[3 * n - 1], keys[6 + 2 * n]
  end
  -- As many as `take` gives: the lanes of a turn and those that are glanced at.
  return redis.call('ZMSCORE', keys[2], unpack(names)), redis.call('EXISTS', unpack(records)) > 0
end

local function tell(answers, shown, items)
  answers[#answers + 1] = shown or ''
  if items then
    answers[#answers + 1] = #items
    for _, item in ipairs(items) do
      answers[#answers + 1] = item
    end
  end
end

local function open(keys, args)
  local now, answers = clock(), {}
  local held, any_record = known_of(keys, args)
  laid_aside = 0
  for n = 1, (#args - 1) / 3 do
    local lane, k = args[3 * n - 1], 6 + 2 * n
    local at = { lane = keys[k], items = keys[k + 1], wait = keys[1] }
    local shown, items
    if args[3 * n + 1] == 'g' then
      if not held[n] then
        glance(keys, lane, at, now)
      end
    elseif held[n] == args[1] then
      local fields = any_record and record(at.lane) or {}
      shown, items = open_lane(keys, lane, at, fields, args[3 * n], args[3 * n + 1], now)
    end
    tell(answers, shown, items)
  end
  note_aside(keys[1], laid_aside)
  return answers
end

offer('open', open, 'allow-oom')
