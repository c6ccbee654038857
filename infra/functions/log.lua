-- Add a line to a log outside a commit.
-- KEYS[1..3] calls   KEYS[4] log, expires whole
-- ARGV[1] call id   ARGV[2] keep, ms   ARGV[3] bytes
local function log(keys, args)
  local calls, now = { keys[1], keys[2], keys[3] }, clock()
  if recall(calls, args[1], now) then
    return
  end
  WRITE.log({ key = keys[4], keep = assert(tonumber(args[2])), bytes = args[3] })
  remember(calls, args[1], now, '')
end

-- Tell a process that waits that an answer is there. What nobody read is gone after a while.
-- KEYS[1] answers, a stream   ARGV[1] keep, ms   ARGV[2] request
local function answer(keys, args)
  redis.call('XADD', keys[1], 'MINID', whole(clock() - args[1]), '*', 'request', args[2])
  redis.call('PEXPIRE', keys[1], args[1])
end

-- Which life of the data this is (ENGINE 29): a replica that took over, a restart of a store that
-- does not flush each write, or restored files begin a new one.
-- KEYS[1] epoch, a hash   ARGV[1] history that a promotion left ('' none)   ARGV[2] run id
-- ARGV[3] '1' if every acknowledged write is on disk   ARGV[4] '1' begins one now
-- Returns its number.
local function epoch(keys, args)
  local known = record(keys[1])
  local number = tonumber(known.number or 1)
  local promoted = args[1] ~= '' and known.history and args[1] ~= known.history
  local lossy = args[3] ~= '1' and known.run and args[2] ~= known.run
  if promoted or lossy or args[4] == '1' then
    number = number + 1
  end
  if known.history ~= args[1] or known.run ~= args[2] or number ~= tonumber(known.number) then
    redis.call('HSET', keys[1], 'number', number, 'history', args[1], 'run', args[2])
  end
  return number
end

offer('log', log)
offer('answer', answer, 'allow-oom')
offer('epoch', epoch, 'allow-oom')
