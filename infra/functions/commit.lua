-- Write everything that one run of a lane changes, or nothing: state, outbox and acknowledgement.
-- Several lanes of one tenant and kind are let go with one call; each stands or falls alone.
-- KEYS[1] wait  KEYS[2] held  KEYS[3] parked  KEYS[4] shut  KEYS[5] busy  KEYS[6..8] calls
-- then 12 seen, if ARGV[3] says so; then for each lane its record, its items and the keys of the
-- changes in their order: 5 for a post (see lane_keys), 1 for a document, log, feed, index, rank
-- or body, none for the rest.
-- ARGV[1] call id (see call_id)  [2] lease, ms  [3] '1' if a post has a dedupe key
-- then for each lane: claim id, lane, how many keys and how many words its changes have, and
-- these, each a word and its arguments:
--   hold | failed | hints count (that were handled) | wait ms (from now) | park reason
--   done id               | fired name moment      | timer name delay ('' clears)
--   put rev bytes         | lend rev bytes keep    | drop rev   | post (see read_post)
--   log keep bytes        | feed keep count field value ...
--   index field value     | unindex field          | rank member score | unrank member
--   body keep bytes
-- Returns for each lane 'lost'; {'conflict', document key}; {'wrong', why}; {'held', view, items ...};
-- or
-- that it is gone: ms until the tenant has something due, -1 not by this. A repeated call changes
-- nothing: what it let go is answered as at first, what it held on is shown as it is now.

-- Whether this item is handled; each time that its id was named counts for one item, so that one
-- of the same id that came since stays.
local function is_handled(element, handled)
  local id = element:match('^([^\n]*)')
  local left = handled[id] or 0
  handled[id] = left - 1
  return left > 0
end

-- Remove handled items by id. They are among the oldest: only the holder removes any. Returns
-- whether items remain, nil if that is not known. One more than were handled is taken out, to see
-- whether any remain: most lanes are empty then, and nothing has to be put back.
local function remove_items(key, handled, count)
  local found, head = redis.call('LPOP', key, count + 1) or {}, 0
  while head < count and found[head + 1] and is_handled(found[head + 1], handled) do
    head = head + 1
  end
  for n = #found, head + 1, -1 do
    redis.call('LPUSH', key, found[n])
  end
  if head == count then
    return #found > head
  end
  for _, element in ipairs(redis.call('LRANGE', key, 0, AT_ONCE - 1)) do
    if is_handled(element, handled) then
      redis.call('LREM', key, 1, element)
    end
  end
  return nil
end

-- Lanes of this call that were let go, and records that nothing is left to say of: they leave with
-- one command each. In a script every command costs more than its work.
local leaving

local function leave(held)
  if #leaving.lanes > 0 then
    redis.call('ZREM', held, unpack(leaving.lanes)) -- as many as commits travel together
  end
  if #leaving.records > 0 then
    redis.call('DEL', unpack(leaving.records))
  end
  leaving = { lanes = {}, records = {}, known = {} }
end

local function write_changes(run, changes)
  if run.count > 0 then
    run.filled = remove_items(run.at.items, run.handled, run.count)
  end
  for _, change in ipairs(changes) do
    if WRITE[change.word] then
      WRITE[change.word](change, run)
    end
  end
end

-- What happened to the lane itself: hints handled, a failure counted, a wait ordered. Handled
-- items end a row of failures and of lost holders, as does letting go in peace: whoever dies of the
-- next item has not died of these.
local function write_lane(run)
  local at, fields = run.at, run.fields
  if run.hints and fields.m == run.hints then
    redis.call('HSET', at.lane, 'z', run.hints)
    fields.z = run.hints
  end
  local in_peace = not (run.failed or run.hold)
  if fields.f and (run.count > 0 or in_peace) then
    redis.call('HDEL', at.lane, 'f')
  end
  if fields.x and run.count > 0 then
    redis.call('HDEL', at.lane, 'x')
  end
  if run.failed then
    redis.call('HINCRBY', at.lane, 'f', 1)
  end
  if run.not_before then
    fields.nb = whole(run.now + run.not_before)
    redis.call('HSET', at.lane, 'nb', fields.nb)
  elseif fields.nb and in_peace then
    fields.nb = nil
    redis.call('HDEL', at.lane, 'nb')
  end
end

-- Let the lane go: to where it waits, to the parked ones, or out of mind. Returns as
-- `rest` does.
local function let_go(run, lane)
  local at, fields, filled = run.at, run.fields, run.filled
  if run.stale then -- it posted to itself
    fields, filled = record(at.lane), nil
  end
  local woke = leave_group(at.busy, at.shut, at.wait, fields, run.now)
  leaving.lanes[#leaving.lanes + 1], leaving.known[lane] = lane, true
  if run.reason then
    redis.call('HDEL', at.lane, 'c', 'b', 'x')
    redis.call('HSET', at.lane, 'p', run.reason)
    redis.call('ZADD', at.parked, whole(run.now), lane)
    return rest(-1, woke, run.now)
  end
  local when = wait_on(at, lane, fields, run.now, filled)
  if when >= 0 then
    redis.call('HDEL', at.lane, 'c', 'b', 'x')
  else
    leaving.records[#leaving.records + 1] = at.lane
  end
  return rest(when, woke, run.now)
end

local function shown(run)
  return { 'held', view(record(run.at.lane), run.now), unpack(oldest(run.at)) }
end

-- The lanes of a call in their order: each with its keys, and where its words begin and end. What
-- they share they look up, for a table costs what is written into it.
local function read_runs(keys, args, now)
  local runs, k, i = {}, 9, 4
  local shared = { now = now, seen = {}, count = 0 }
  local places = {
    wait = keys[1], held = keys[2], parked = keys[3], shut = keys[4], busy = keys[5],
  }
  local of_all, of_each = { __index = shared }, { __index = places }
  if args[3] == '1' then
    k = 21
    for n = 9, 20 do
      shared.seen[n - 8] = keys[n]
    end
  end
  while i <= #args do
    local at = setmetatable({ lane = keys[k], items = keys[k + 1] }, of_each)
    local run = { k = k + 2, first = i, last = i + 3 + args[i + 3], at = at }
    runs[#runs + 1] = setmetatable(run, of_all)
    k, i = run.k + args[i + 2], run.last + 1
  end
  return runs
end

-- Let one lane go, or hold it on. Returns what is remembered of it: 'lost', 'held',
-- 'conflict <key>', or ms as `rest` does.
local function commit_one(keys, args, run)
  local claim, lane = args[run.first], args[run.first + 1]
  if leaving.known[lane] then -- named twice
    leave(run.at.held)
  end
  run.fields = record(run.at.lane)
  if run.fields.c ~= claim then
    return 'lost'
  end
  local changes = read_changes(keys, args, run.k, run.first + 4, run.last, run)
  local stale = conflict(changes)
  if stale then
    return 'conflict ' .. stale
  end
  if run.posts then -- perhaps to one that has just been let go
    leave(run.at.held)
  end
  write_changes(run, changes)
  write_lane(run)
  if not run.hold then
    local wait = let_go(run, lane)
    return wait < 0 and '-1' or whole(wait)
  end
  redis.call('ZADD', run.at.held, whole(run.now + args[2]), lane)
  return 'held'
end

-- Commit each lane by itself: a mistake in one, which is found before its first write, is its own.
local function commit_each(keys, args, runs)
  local outcomes = {}
  leaving = { lanes = {}, records = {}, known = {} }
  for n, run in ipairs(runs) do
    local fine, outcome = pcall(commit_one, keys, args, run)
    if not fine then
      local why = type(outcome) == 'table' and outcome.err or outcome
      outcome = 'wrong ' .. tostring(why):gsub('%c', ' ')
    end
    outcomes[n] = outcome
  end
  leave(keys[2])
  return outcomes
end

-- What is answered for a lane by what is remembered of it.
local function told(outcome, run)
  local wait = tonumber(outcome)
  if wait or outcome == 'lost' then
    return wait or outcome
  elseif outcome == 'held' then
    return shown(run)
  end
  local what, of = outcome:match('^(%a+) (.*)$')
  return { what, of }
end

local function commit(keys, args)
  local calls, now = { keys[6], keys[7], keys[8] }, clock()
  local runs, outcomes = read_runs(keys, args, now), {}
  local known = recall(calls, args[1], now)
  if known then
    for outcome in known:gmatch('[^\n]+') do
      outcomes[#outcomes + 1] = outcome
    end
  else
    assert(tonumber(args[2]))
    outcomes = commit_each(keys, args, runs)
    remember(calls, args[1], now, table.concat(outcomes, '\n'))
  end
  for n, run in ipairs(runs) do
    outcomes[n] = told(outcomes[n], run)
  end
  return outcomes
end

offer('commit', commit, 'allow-oom')
