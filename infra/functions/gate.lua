-- Close, open or narrow the gate of a group. Its lanes are not touched: those already laid aside
-- wake by the group's own member of the waiting sets, the others meet the gate when claimed.
-- KEYS[1] gates   then two for each kind: wait, shut
-- ARGV[1] group  ARGV[2] closed for, ms ('' leaves it, 0 opens, -1 until opened)
-- ARGV[3] how many may be held ('' leaves it, 0 any)  ARGV[4] reason ('' leaves it)
-- Returns for each kind 1 if lanes of it wake now or later, else 0.
local function gate_group(keys, args)
  local now, group = clock(), args[1]
  local row = redis.call('HGET', keys[1], group) or '0\n\n'
  local closed, limit, reason = row:match('^(%-?%d+)\n(%d*)\n(.*)$')
  if args[2] ~= '' then
    local span = tonumber(args[2])
    closed = span > 0 and whole(now + span) or whole(span)
    reason = args[4]
  end
  if args[3] ~= '' then
    limit = args[3] ~= '0' and args[3] or ''
  end
  if closed == '0' and limit == '' then
    redis.call('HDEL', keys[1], group)
  else
    redis.call('HSET', keys[1], group, closed .. '\n' .. limit .. '\n' .. reason)
  end
  local answers, from, to = {}, of_group(group)
  for n = 2, #keys, 2 do
    local asleep = redis.call('ZLEXCOUNT', keys[n + 1], from, to) > 0
    answers[#answers + 1] = asleep and 1 or 0
    if closed == '-1' then
      redis.call('ZREM', keys[n], '@' .. group)
    elseif asleep then
      redis.call('ZADD', keys[n], whole(math.max(tonumber(closed), now)), '@' .. group)
    end
  end
  return answers
end

offer('gate', gate_group, 'allow-oom')
