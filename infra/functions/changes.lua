-- How are the changes of a unit read, checked and written? Each is a word and its arguments, as the
-- heads of `commit` and `submit` list them. All are read and checked before the first is written.

local READ, CHECK, WRITE = {}, {}, {}

-- What becomes of the lane itself is noted in `run`; it is no change.
function READ.hold(_, i, run) run.hold = true return nil, i end
function READ.failed(_, i, run) run.failed = true return nil, i end
function READ.hints(args, i, run) run.hints = args[i] return nil, i + 1 end
function READ.wait(args, i, run) run.not_before = assert(tonumber(args[i])) return nil, i + 1 end
function READ.park(args, i, run) run.reason = args[i] return nil, i + 1 end
function READ.done(args, i, run)
  local id, handled = args[i], run.handled or {}
  handled[id] = (handled[id] or 0) + 1
  run.handled, run.count = handled, run.count + 1
  return nil, i + 1
end
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
function READ.post(args, i, run)
  run.posts = true
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

-- Read all changes up to a word and give each its keys. Raises on a word or a number that is none.
local function read_changes(keys, args, k, i, last, run)
  local changes = {}
  while i <= last do
    local word = args[i]
    local change, after = READ[word](args, i + 1, run)
    if change then
      change.word, change.key = word, keys[k]
      if word == 'post' then
        change.at = lane_keys(keys, k)
      end
      k = k + (change.keys or 0)
      changes[#changes + 1] = change
    end
    i = after
  end
  return changes
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
