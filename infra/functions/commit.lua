-- Write everything that one run of a lane changes, or nothing: state, outbox and acknowledgement.
-- KEYS[1] lane record  KEYS[2] items  KEYS[3] wait  KEYS[4] held  KEYS[5] parked  KEYS[6] shut
-- KEYS[7] busy  KEYS[8..10] calls  then 12 seen, if ARGV[10] says so; then the keys of the
-- changes in their order: 5 for a post (see lane_keys), 1 for a document, log, feed, index, rank
-- or body, none for the rest.
-- ARGV[1] call id (see call_id)  [2] claim id  [3] lane  [4] '1' to hold on  [5] '1' if it failed
-- [6] hint count that was handled ('' none)  [7] not before, ms from now ('' none)
-- [8] reason to park ('' no)  [9] lease, ms  [10] '1' if a post has a dedupe key
-- then the changes, each a word and its arguments:
--   done id               | fired name moment      | timer name delay ('' clears)
--   put rev bytes         | lend rev bytes keep    | drop rev   | post (see read_post)
--   log keep bytes        | feed keep count field value ...
--   index field value     | unindex field          | rank member score | unrank member
--   body keep bytes
-- Returns {'lost'}; {'conflict', document key}; {'held', view ...}; or {'gone', ms until the tenant
-- has something due, -1 not by this}. A repeated call changes nothing: if it let the lane go its
-- answer is the first one, if it held on it shows the lane as it is now.

local READ, CHECK, WRITE = {}, {}, {}

function READ.done(args, i) return { id = args[i] }, i + 1 end
function READ.fired(args, i) return { name = args[i], at = args[i + 1] }, i + 2 end
function READ.timer(args, i)
  local delay = args[i + 1] ~= '' and assert(tonumber(args[i + 1])) or nil
  return { name = args[i], delay = delay }, i + 2
end
function READ.put(args, i) return { rev = args[i], bytes = args[i + 1], keys = 1 }, i + 2 end
function READ.lend(args, i)
  local keep = assert(tonumber(args[i + 2]))
  return { rev = args[i], bytes = args[i + 1], keep = keep, keys = 1 }, i + 3
end
function READ.drop(args, i) return { rev = args[i], keys = 1 }, i + 1 end
function READ.post(args, i)
  local post, after = read_post(args, i)
  return { post = post, keys = 5 }, after
end
function READ.log(args, i)
  return { keep = assert(tonumber(args[i])), bytes = args[i + 1], keys = 1 }, i + 2
end
function READ.feed(args, i)
  local change = { keep = assert(tonumber(args[i])), pairs = {}, keys = 1 }
  local count = tonumber(args[i + 1])
  assert(count <= 16)
  for n = 1, 2 * count do
    change.pairs[n] = args[i + 1 + n]
  end
  return change, i + 2 + 2 * count
end
function READ.index(args, i) return { field = args[i], value = args[i + 1], keys = 1 }, i + 2 end
function READ.unindex(args, i) return { field = args[i], keys = 1 }, i + 1 end
function READ.rank(args, i)
  assert(tonumber(args[i + 1]))
  return { member = args[i], score = args[i + 1], keys = 1 }, i + 2
end
function READ.unrank(args, i) return { member = args[i], keys = 1 }, i + 1 end
READ.body = READ.log

-- The revision of a stored document; '0' when there is none.
local function revision(key)
  return redis.call('GETRANGE', key, 0, 20):match('^(%d+)\n') or '0'
end

function CHECK.put(change) return revision(change.key) == change.rev end
CHECK.lend = CHECK.put
CHECK.drop = CHECK.put

function WRITE.fired(change, run)
  if run.fields['t:' .. change.name] == change.at and not run.failed then
    redis.call('HDEL', run.at.lane, 't:' .. change.name)
    run.fields['t:' .. change.name] = nil
  end
end
function WRITE.timer(change, run)
  if change.delay then
    run.fields['t:' .. change.name] = set_timer(run.at.lane, change.name, run.now + change.delay)
  else
    redis.call('HDEL', run.at.lane, 't:' .. change.name)
    run.fields['t:' .. change.name] = nil
  end
end
function WRITE.put(change) redis.call('SET', change.key, change.bytes) end
function WRITE.lend(change)
  redis.call('SET', change.key, change.bytes, 'PX', whole(change.keep))
end
function WRITE.drop(change) redis.call('DEL', change.key) end
function WRITE.post(change, run)
  keep(change.at, change.post, run.seen, run.now)
  run.stale = run.stale or run.at and change.at.lane == run.at.lane
end
function WRITE.log(change)
  if redis.call('RPUSH', change.key, change.bytes) == 1 then
    redis.call('PEXPIRE', change.key, whole(change.keep))
  end
end
function WRITE.feed(change, run)
  local oldest = whole(math.max(run.now - change.keep, 0))
  local entry = { 'XADD', change.key, 'MINID', '~', oldest, '*' }
  for _, part in ipairs(change.pairs) do
    entry[#entry + 1] = part
  end
  redis.call(unpack(entry)) -- 16 fields at most, see READ.feed
end
function WRITE.index(change) redis.call('HSET', change.key, change.field, change.value) end
function WRITE.unindex(change) redis.call('HDEL', change.key, change.field) end
function WRITE.rank(change) redis.call('ZADD', change.key, change.score, change.member) end
function WRITE.unrank(change) redis.call('ZREM', change.key, change.member) end
function WRITE.body(change)
  redis.call('SET', change.key, change.bytes, 'PX', whole(change.keep), 'NX')
end

-- Read all changes and give each its keys. Raises on a word or a number that is none.
local function read_changes(keys, args, k, i)
  local changes = {}
  while i <= #args do
    local word = args[i]
    local change, after = READ[word](args, i + 1)
    change.word, change.key = word, keys[k]
    if word == 'post' then
      change.at = lane_keys(keys, k)
    end
    k, i = k + (change.keys or 0), after
    changes[#changes + 1] = change
  end
  return changes
end

-- Whether this item is handled; each time that its id was named counts for one item, so that one
-- of the same id that came since stays.
local function is_handled(element, handled)
  local id = element:match('^([^\n]*)')
  local left = handled[id] or 0
  handled[id] = left - 1
  return left > 0
end

-- Remove handled items by id. They are among the oldest: only the holder removes any. Returns
-- whether items remain, nil if that is not known.
local function remove_items(key, handled, count)
  local head = 0
  local found = redis.call('LRANGE', key, 0, count) -- one more, to see whether any remain
  while head < count and found[head + 1] and is_handled(found[head + 1], handled) do
    head = head + 1
  end
  if head > 0 then
    redis.call('LPOP', key, head)
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

local function write_changes(run, changes)
  local handled, count = {}, 0
  for _, change in ipairs(changes) do
    if change.word == 'done' then
      handled[change.id], count = (handled[change.id] or 0) + 1, count + 1
    end
  end
  if count > 0 then
    run.filled = remove_items(run.at.items, handled, count)
    run.progress = true
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
local function write_lane(run, mark, not_before)
  local at, fields = run.at, run.fields
  if mark ~= '' and fields.m == mark then
    redis.call('HSET', at.lane, 'z', mark)
    fields.z = mark
  end
  local in_peace = not (run.failed or run.hold)
  if fields.f and (run.progress or in_peace) then
    redis.call('HDEL', at.lane, 'f')
  end
  if fields.x and run.progress then
    redis.call('HDEL', at.lane, 'x')
  end
  if run.failed then
    redis.call('HINCRBY', at.lane, 'f', 1)
  end
  if not_before then
    fields.nb = whole(run.now + not_before)
    redis.call('HSET', at.lane, 'nb', fields.nb)
  elseif fields.nb and in_peace then
    fields.nb = nil
    redis.call('HDEL', at.lane, 'nb')
  end
end

-- Let the lane go: to where it waits, to the parked ones, or out of mind. Returns as
-- `rest` does.
local function let_go(keys, run, lane, reason)
  local at, fields, filled = run.at, run.fields, run.filled
  if run.stale then -- it posted to itself
    fields, filled = record(at.lane), nil
  end
  local woke = leave_group(keys[7], keys[6], keys[3], fields, run.now)
  redis.call('ZREM', at.held, lane)
  if reason ~= '' then
    redis.call('HDEL', at.lane, 'c', 'b', 'x')
    redis.call('HSET', at.lane, 'p', reason)
    redis.call('ZADD', keys[5], whole(run.now), lane)
    return rest(-1, woke, run.now)
  end
  local when = settle(at, lane, fields, run.now, filled)
  if when >= 0 then
    redis.call('HDEL', at.lane, 'c', 'b', 'x')
  end
  return rest(when, woke, run.now)
end

-- The first document that another wrote since it was read, or nil.
local function conflict(changes)
  for _, change in ipairs(changes) do
    if CHECK[change.word] and not CHECK[change.word](change) then
      return change.key
    end
  end
  return nil
end

local function shown(run)
  local answer = view(record(run.at.lane), run.now, oldest(run.at))
  table.insert(answer, 1, 'held')
  return answer
end

local function write(keys, args, run, changes)
  write_changes(run, changes)
  write_lane(run, args[6], tonumber(args[7]))
  if not run.hold then
    return let_go(keys, run, args[3], args[8])
  end
  redis.call('ZADD', run.at.held, whole(run.now + args[9]), args[3])
  return -1
end

local function commit(keys, args)
  local calls, now = { keys[8], keys[9], keys[10] }, clock()
  local at = { lane = keys[1], items = keys[2], wait = keys[3], held = keys[4] }
  local run = { at = at, now = now, hold = args[4] == '1', failed = args[5] == '1', seen = {} }
  local wait = recall(calls, args[1], now)
  if not wait then
    run.fields = record(at.lane)
    if run.fields.c ~= args[2] then
      return { 'lost' }
    end
    local first = args[10] == '1' and 23 or 11
    for n = 11, first - 1 do
      run.seen[#run.seen + 1] = keys[n]
    end
    local changes = read_changes(keys, args, first, 11)
    assert((args[7] == '' or tonumber(args[7])) and tonumber(args[9]))
    local stale = conflict(changes)
    if stale then
      return { 'conflict', stale }
    end
    wait = write(keys, args, run, changes)
    remember(calls, args[1], now, wait)
  end
  return run.hold and shown(run) or { 'gone', tonumber(wait) }
end

offer('commit', commit, 'allow-oom')
