-- Write documents that no lane owns and the posts that tell of them, all or nothing.
-- KEYS[1..3] calls   KEYS[4..15] seen   then the keys of the changes in their order, as for commit
-- ARGV[1] call id   then changes as commit reads them, but none that concern a lane of one's own
-- Returns '' if all was written, else the first document that another wrote; then nothing was.
-- Refused above maxmemory (ENGINE 14): it makes work.
local function submit(keys, args)
  local calls, now = { keys[1], keys[2], keys[3] }, clock()
  local known = recall(calls, args[1], now)
  if known then
    return known
  end
  local run = { now = now, seen = {} }
  for n = 4, 15 do
    run.seen[#run.seen + 1] = keys[n]
  end
  local changes = read_changes(keys, args, 16, 2, #args, run)
  assert(not (run.hold or run.failed or run.hints or run.not_before or run.reason))
  for _, change in ipairs(changes) do
    assert(change.keys)
  end
  local stale = conflict(changes)
  if stale then
    return stale
  end
  for _, change in ipairs(changes) do
    WRITE[change.word](change, run)
  end
  remember(calls, args[1], now, '')
  return ''
end

offer('submit', submit)
