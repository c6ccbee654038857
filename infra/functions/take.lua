-- Take due lanes of one tenant and kind out of the waiting set into the held one. `open` follows.
-- KEYS[1] wait   KEYS[2] held   KEYS[3] apart: lanes to be claimed apart   KEYS[4] shut
-- KEYS[5..7] calls
-- ARGV[1] call id   ARGV[2] at most, lanes   ARGV[3] lease, ms   ARGV[4] heartbeat, ms
-- ARGV[5] '' for due lanes; for an empty worker 'many' for those that lost two holders, which are
-- worked apart with many like them, 'few' for those that lost more
-- Returns lines: now, next due moment (-1 none), lanes held, apart lanes, lease end; then for each
-- lane its name and how it came: d due, x its lease expired, l apart.

-- When the store last heard of each held set, and until when expired leases stay with their
-- holders. Kept in the server's memory on purpose: a restart or a failover forgets it, and an
-- unknown set starts with a heartbeat's grace (ENGINE 12).
local watched = {}

-- Note a sign of life of the tenant's workers; returns whether expired leases may be claimed.
local function watch(held, now, beat)
  local known = watched[held]
  if not known then
    known = { seen = now, grace = now + beat }
    watched[held] = known
  elseif now - known.seen > beat or now < known.seen then
    known.grace = now + beat
  end
  known.seen = now
  return now >= known.grace
end

-- How many lanes the last `open` laid aside, by waiting set. In the server's memory: to forget it
-- costs a few claims.
local aside, tenants_aside = {}, 0
local GLANCE = 512 -- lanes at most, which is what bounds the time of one `open`

-- Note what an `open` laid aside.
local function note_aside(wait, count)
  if count == 0 then
    aside[wait] = nil
    return
  end
  if not aside[wait] then
    if tenants_aside > 10000 then
      aside, tenants_aside = {}, 0
    end
    tenants_aside = tenants_aside + 1
  end
  aside[wait] = count
end

-- The due lanes behind those that were taken, as lines: four times as many as were laid aside last,
-- so that where nothing is laid aside nothing is looked at.
local function glance_at(wait, now)
  local lines = {}
  if aside[wait] then
    for _, lane in ipairs(come(wait, now, math.min(4 * aside[wait], GLANCE))) do
      if lane:sub(1, 1) ~= '@' then
        lines[#lines + 1] = '\n' .. lane .. '\ng'
      end
    end
  end
  return table.concat(lines)
end

local function take_expired(keys, most, now, until_, lanes)
  for _, lane in ipairs(come(keys[2], now, most)) do
    redis.call('ZADD', keys[2], until_, lane)
    lanes[#lanes + 1] = lane
    lanes[#lanes + 1] = 'x'
  end
end

-- Move lanes from the waiting set to the held one. A lane that a waking gate put there although it
-- is held stays with its holder.
local function move(keys, found, until_, lanes)
  local scores = redis.call('ZMSCORE', keys[2], unpack(found)) -- as many as were asked for
  local moving = { 'ZADD', keys[2] }
  for n, lane in ipairs(found) do
    if not scores[n] then
      moving[#moving + 1] = until_
      moving[#moving + 1] = lane
      lanes[#lanes + 1] = lane
      lanes[#lanes + 1] = 'd'
    end
  end
  redis.call('ZREM', keys[1], unpack(found))
  if #moving > 2 then
    redis.call(unpack(moving))
  end
end

-- A gate's own member of the waiting set is "@<group>": its moment has come, its lanes wake.
local function wake_group(keys, token, now)
  local _, more = wake(keys[4], keys[1], token:sub(2), now, AT_ONCE)
  if not more then
    redis.call('ZREM', keys[1], token)
  end
end

-- Take what is due, at most so many. Returns whether a gate was among it, whose lanes woke just now.
local function take_found(keys, most, now, until_, lanes)
  local found, woke = {}, false
  for _, lane in ipairs(come(keys[1], now, most)) do
    if lane:sub(1, 1) == '@' then
      wake_group(keys, lane, now)
      woke = true
    else
      found[#found + 1] = lane
    end
  end
  if #found > 0 then
    move(keys, found, until_, lanes)
  end
  return woke
end

local function take_due(keys, most, now, until_, lanes)
  local before = #lanes
  if most >= 1 and take_found(keys, most, now, until_, lanes) then
    most = most - (#lanes - before) / 2
    if most >= 1 then
      take_found(keys, most, now, until_, lanes)
    end
  end
end

-- Lanes that are worked apart, all of which lost as many holders: two, or the fewest beyond.
local function take_apart(keys, many, most, until_, lanes)
  local least = many and APART_AFTER or APART_AFTER + 1
  local lost = redis.call('ZRANGEBYSCORE', keys[3], least, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)[2]
  if not lost or many and lost ~= tostring(APART_AFTER) then
    return
  end
  most = math.min(COMPANY[lost - APART_AFTER + 1], most)
  for _, lane in ipairs(redis.call('ZRANGEBYSCORE', keys[3], lost, lost, 'LIMIT', 0, most)) do
    redis.call('ZREM', keys[3], lane)
    if redis.call('ZADD', keys[2], 'NX', until_, lane) == 1 then
      lanes[#lanes + 1], lanes[#lanes + 2] = lane, 'l'
    end
  end
end

-- A lease beyond two leases from now was written by a clock that has been set back since.
local function clamp(held, now, lease, until_)
  local beyond = '(' .. whole(now + 2 * lease)
  local far = redis.call('ZRANGEBYSCORE', held, beyond, '+inf', 'LIMIT', 0, AT_ONCE)
  for _, lane in ipairs(far) do
    redis.call('ZADD', held, until_, lane)
  end
end

local function first(set)
  return redis.call('ZRANGE', set, 0, 0, 'WITHSCORES')[2] or '-1'
end

local function take(keys, args)
  local calls, now = { keys[5], keys[6], keys[7] }, clock()
  local known = recall(calls, args[1], now)
  if known then
    return known
  end
  local most, lease, beat = tonumber(args[2]), tonumber(args[3]), tonumber(args[4])
  local until_, lanes = whole(now + lease), {} -- once: to write a number costs as much as a command
  local may_expire = false
  if redis.call('ZCARD', keys[2]) > 0 then
    clamp(keys[2], now, lease, until_)
    may_expire = watch(keys[2], now, beat)
  end
  if args[5] ~= '' then
    take_apart(keys, args[5] == 'many', most, until_, lanes)
  else
    if may_expire then
      take_expired(keys, most, now, until_, lanes)
    end
    take_due(keys, most - #lanes / 2, now, until_, lanes)
  end
  local held = redis.call('ZCARD', keys[2])
  if held == 0 then
    watched[keys[2]] = nil
  elseif not watched[keys[2]] then
    watch(keys[2], now, beat)
  end
  local head = { whole(now), first(keys[1]), held, redis.call('ZCARD', keys[3]), until_ }
  local answer = table.concat(head, '\n')
  if #lanes > 0 then
    answer = answer .. '\n' .. table.concat(lanes, '\n')
    remember(calls, args[1], now, answer)
    answer = answer .. glance_at(keys[1], now)
  end
  return answer
end

offer('take', take, 'allow-oom')
