-- Write or delete documents that no lane owns, if none was written since it was read.
-- KEYS[1..3] calls   KEYS[4..] documents
-- ARGV[1] call id   then two for each document: the revision read, its new bytes ('' deletes)
-- Returns '' if all were written, else the first document that another wrote; then none was.
local function document(keys, args)
  local calls, now = { keys[1], keys[2], keys[3] }, clock()
  local known = recall(calls, args[1], now)
  if known then
    return known
  end
  for n = 4, #keys do
    if revision(keys[n]) ~= args[2 * n - 6] then
      return keys[n]
    end
  end
  for n = 4, #keys do
    local bytes = args[2 * n - 5]
    if bytes ~= '' then
      redis.call('SET', keys[n], bytes)
    else
      redis.call('DEL', keys[n])
    end
  end
  remember(calls, args[1], now, '')
  return ''
end

offer('document', document)
