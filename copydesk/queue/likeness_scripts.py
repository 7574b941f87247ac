"""The scripts of the likeness index: what is done to it in one step, so that two workers never see half of it.

Keys, all under `copydesk:like`:

- the prefix itself, a hash: `run` (the run id of the server that the index is complete for), `epoch` (a name for the
  time since then), `number` (of the last document), `current`, `oldest` and `dropped` (generations)
- `:<generation>`, a hash: its size and when it was begun
- `:<generation>:<bucket>`, a hash: rest of a candidate key -> number of the newest document that has the key
- `:<generation>:r<number>`, a string: a document's record (`likeness_index.py`)
- `:job:<job>`, a hash: document -> its answer and the epoch in which it was entered, and `p` once its entry is in the
  stream

A document is entered here, published and stored one after the other, by several processes, and the index may be lost
and loaded anew in between. Whoever comes next therefore compares epochs: `ADD` enters a document again that it numbered
in another one, `PUBLISH` refuses it, and the writer enters it after its commit. So what is published after an index was
begun is in it, and what was published before is found in the stream or in Postgres by whoever loads it.

A bucket stays a listpack (13 bytes an entry with its share of the bucket's own key, instead of about 80) because it
is split before it is full: linear hashing (Litwin 1980), one bucket at a time, so there is no size to choose beforehand
and no pause. Keys are 36 bits: 12 that name one of 4,096 first buckets, and 24, signed, that are the field, since a
listpack keeps such a number in 5 bytes; bit n of the 24 decides the split of level 12 + n. Strings that the scripts
pack take 7 bytes an entry, but whole buckets would go into the append-only file at every change.
"""

from __future__ import annotations

from typing import Final

LEVEL_MIN: Final = 12

# What stands before the sketch in a record: the document's id and when it was received.
HEAD_BYTES: Final = 20

# Entries a bucket holds on average before the next one is split: the fullest then has about 105 of the 128 (Valkey 9)
# or 512 (Redis 8) that a listpack may have by default.
BUCKET_ENTRIES: Final = 38

# A repeated text finds its first copy under most of its keys; more candidates than this were never worth their time.
CANDIDATES_MAX: Final = 16

# Memory of a document beside its record: 16 entries, its share of two buckets, the record's own key.
DOCUMENT_BYTES: Final = 300

_GENERATION: Final = f"""
local prefix = KEYS[1] .. ':'
local function load(g)
  local at = prefix .. g
  local v = redis.call('HMGET', at, 'level', 'split', 'keys', 'bytes', 'born', 'low', 'high', 'documents')
  return {{name = g, at = at, level = tonumber(v[1] or {LEVEL_MIN}), split = tonumber(v[2] or 0),
    keys = tonumber(v[3] or 0), bytes = tonumber(v[4] or 0), born = tonumber(v[5] or 0),
    low = tonumber(v[6] or 0), high = tonumber(v[7] or 0), documents = tonumber(v[8] or 0)}}
end
local function save(g)
  redis.call('HSET', g.at, 'level', g.level, 'split', g.split, 'keys', g.keys, 'bytes', g.bytes, 'born', g.born,
    'low', g.low, 'high', g.high, 'documents', g.documents)
end
-- A key at this place of `keys`: the bucket that it is in, and what it is known by there.
local function where(g, keys, i)
  local rest, low = struct.unpack('<i3I2', keys, i)
  local hash = rest * 4096 + low
  local b = hash % 2 ^ g.level
  if b < g.split then b = hash % 2 ^ (g.level + 1) end
  return g.at .. ':' .. b, rest
end
local function grow(g)
  while g.keys > {BUCKET_ENTRIES} * (2 ^ g.level + g.split) do
    local from, to = g.at .. ':' .. g.split, g.at .. ':' .. (g.split + 2 ^ g.level)
    local all, moved, gone = redis.call('HGETALL', from), {{}}, {{}}
    for i = 1, #all, 2 do
      if math.floor(all[i] / 2 ^ (g.level - {LEVEL_MIN})) % 2 == 1 then
        moved[#moved + 1], moved[#moved + 2], gone[#gone + 1] = all[i], all[i + 1], all[i]
      end
    end
    if #gone > 0 then
      redis.call('HDEL', from, unpack(gone))
      redis.call('HSET', to, unpack(moved))
    end
    g.split = g.split + 1
    if g.split == 2 ^ g.level then g.level, g.split = g.level + 1, 0 end
  end
end
local function note(g, number, record)
  redis.call('SET', g.at .. ':r' .. number, record)
  g.bytes, g.documents = g.bytes + #record + {DOCUMENT_BYTES}, g.documents + 1
  if g.low == 0 or number < g.low then g.low = number end
  if number > g.high then g.high = number end
end
local function enter(g, number, keys, record)
  for i = 1, #keys, 5 do
    local at, rest = where(g, keys, i)
    if redis.call('HSETNX', at, rest, number) == 1 then g.keys = g.keys + 1
    elseif tonumber(redis.call('HGET', at, rest)) < number then redis.call('HSET', at, rest, number) end
  end
  if redis.call('EXISTS', g.at .. ':r' .. number) == 0 then note(g, number, record)
  else redis.call('SET', g.at .. ':r' .. number, record) end
  grow(g)
end
local function server_run() return string.match(redis.call('INFO', 'server'), 'run_id:(%x+)') end
"""

# KEYS: prefix, job; ARGV: seconds now, seconds and bytes of a generation, older generations kept, seconds an answer is
# kept, then per document: id, keys (5 bytes each; the first is the sketch's own hash), record. Answers the epoch, then
# per document: number (0: published before), whether it stands in the index, then records of its candidates. -1 alone:
# the index is not complete, nothing was done. A text that stands there letter for letter is not written again: feeds
# bring their items at every poll.
ADD: Final = f"""#!lua
{_GENERATION}
local meta = redis.call('HMGET', KEYS[1], 'run', 'number', 'current', 'oldest', 'epoch')
local number, current, oldest, epoch = tonumber(meta[2]), tonumber(meta[3]), tonumber(meta[4]), meta[5]
if meta[1] ~= server_run() or not epoch then return -1 end
local now, span, share, older = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local top = load(current)
local turns = math.min(math.floor((now - top.born) / span), older + 1)
if turns < 1 and top.bytes > share then turns = 1 end
if turns > 0 then
  current = current + turns
  oldest = math.max(oldest, current - older)
  redis.call('HSET', KEYS[1], 'current', current, 'oldest', oldest)
  local level = top.level
  top = load(current)
  top.level, top.born = level, now
end
local generations = {{top}}
for g = current - 1, oldest, -1 do
  local made = load(g)
  if made.keys > 0 then generations[#generations + 1] = made end
end

local function answer(id, kept)
  local out = {{}}
  for word in string.gmatch(kept, '%S+') do
    if #out < 2 then out[#out + 1] = tonumber(word)
    else
      local record = redis.call('GET', prefix .. word)
      if record and string.sub(record, 1, 16) ~= id then out[#out + 1] = record end
    end
  end
  return out
end

-- The holders of any of these keys, those of most keys first, and where the keys stand in the newest generation.
local function find(keys)
  local found, counts, places = {{}}, {{}}, {{}}
  for i = 1, #keys, 5 do
    for n, g in ipairs(generations) do
      local at, rest = where(g, keys, i)
      if n == 1 then places[#places + 1], places[#places + 2] = at, rest end
      local number = redis.call('HGET', at, rest)
      if number then
        local name = g.name .. ':r' .. number
        if not counts[name] then
          found[#found + 1] = name
          counts[name] = 0
        end
        counts[name] = counts[name] + 1
        break
      end
    end
  end
  table.sort(found, function(a, b)
    if counts[a] ~= counts[b] then return counts[a] > counts[b] end
    return a > b
  end)
  return found, places
end

-- Whether the very same sketch stands in this generation. Of the one before it is written again, or a text that is
-- told for ever would be forgotten.
local function same(g, keys, record)
  local number = redis.call('HGET', where(g, keys, 1))
  local other = number and redis.call('GET', g.at .. ':r' .. number)
  return other and string.sub(other, {HEAD_BYTES + 1}) == string.sub(record, {HEAD_BYTES + 1})
end

local answers, is_new = {{epoch}}, false
for d = 6, #ARGV, 3 do
  local id, keys, record = ARGV[d], ARGV[d + 1], ARGV[d + 2]
  local kept = redis.call('HGET', KEYS[2], id)
  if kept == 'p' then
    answers[#answers + 1] = {{0, 0}}
  else
    local own, known, words = string.match(kept or '', '^(%d+) (%d) %S+(.*)$')
    if not kept then
      number = number + 1
      local found, places = find(keys)
      known = same(top, keys, record) and 0 or 1
      if known == 1 then
        for i = 1, #places, 2 do top.keys = top.keys + redis.call('HSET', places[i], places[i + 1], number) end
        note(top, number, record)
        grow(top)
      end
      own, words = number, ''
      for i = 1, math.min(#found, {CANDIDATES_MAX}) do words = words .. ' ' .. found[i] end
    elseif not string.find(kept, epoch, 1, true) and known == '1' then
      enter(top, tonumber(own), keys, record)
    end
    local told = own .. ' ' .. known .. ' ' .. epoch .. words
    if told ~= kept then
      redis.call('HSET', KEYS[2], id, told)
      is_new = true
    end
    answers[#answers + 1] = answer(id, own .. ' ' .. known .. words)
  end
end
if is_new then redis.call('EXPIRE', KEYS[2], ARGV[5]) end
save(top)
redis.call('HSET', KEYS[1], 'number', number)
return answers
"""

# KEYS: stream, job, prefix of the index; ARGV: seconds a job's publications are remembered, then per entry: document
# ('' for one that is no article), payload, raw input, sketch, epoch in which it was judged ('' where it has none).
# Nothing is published twice within a job. -1: nothing was done, since the index may lack what another epoch's judged.
PUBLISH: Final = f"""#!lua
{_GENERATION}
local epoch
for e = 2, #ARGV, 5 do
  if ARGV[e + 4] ~= '' and redis.call('HGET', KEYS[2], ARGV[e]) ~= 'p' then
    if not epoch then
      local meta = redis.call('HMGET', KEYS[3], 'run', 'epoch')
      epoch = meta[1] == server_run() and meta[2] or '-'
    end
    if ARGV[e + 4] ~= epoch then return -1 end
  end
end
local marked = false
for e = 2, #ARGV, 5 do
  local id = ARGV[e]
  if id == '' or redis.call('HGET', KEYS[2], id) ~= 'p' then
    local fields = {{'d', ARGV[e + 1]}}
    for n, name in ipairs({{'raw', 'sketch', 'epoch'}}) do
      if ARGV[e + 1 + n] ~= '' then
        fields[#fields + 1] = name
        fields[#fields + 1] = ARGV[e + 1 + n]
      end
    end
    redis.call('XADD', KEYS[1], '*', unpack(fields))
    if id ~= '' then
      redis.call('HSET', KEYS[2], id, 'p')
      marked = true
    end
  end
end
if marked then redis.call('EXPIRE', KEYS[2], ARGV[1]) end
"""

# KEYS: prefix. Answers: this server's run, that of the index ('' for one that is not complete, or none), its epoch, its
# last number (-1 for no index), its bytes as `note` counts them, its documents, its keys.
STATE: Final = f"""#!lua flags=allow-oom
{_GENERATION}
local meta = redis.call('HMGET', KEYS[1], 'run', 'number', 'current', 'oldest', 'epoch')
local bytes, documents, keys = 0, 0, 0
for name = tonumber(meta[4] or 0), tonumber(meta[3] or -1) do
  local g = load(name)
  bytes, documents, keys = bytes + g.bytes, documents + g.documents, keys + g.keys
end
return {{server_run(), meta[5] and meta[1] or '', meta[5] or '', tonumber(meta[2] or -1), bytes, documents, keys}}
"""

# KEYS: prefix; ARGV: seconds now, older generations kept, expected documents a generation. Makes an empty index that no
# worker uses yet; what stood there is left to be dropped.
BEGIN: Final = f"""#!lua
{_GENERATION}
local current = tonumber(redis.call('HGET', KEYS[1], 'current') or 0) + 1 + ARGV[2]
redis.call('HDEL', KEYS[1], 'run', 'epoch')
redis.call('HSET', KEYS[1], 'number', 0, 'current', current, 'oldest', current - ARGV[2])
redis.call('HSETNX', KEYS[1], 'dropped', 0)
local level = {LEVEL_MIN}
while 2 ^ level * {BUCKET_ENTRIES} < 16 * ARGV[3] do level = level + 1 end
for g = current - ARGV[2], current do
  local made = load(g)
  made.level, made.born = level - 1, tonumber(ARGV[1])
  if made.level < {LEVEL_MIN} then made.level = {LEVEL_MIN} end
  save(made)
end
return current
"""

# KEYS: prefix; ARGV: how many generations back, then per document: number, keys, record. Idempotent: the newest
# document keeps its keys, whatever the order. Where there is no index, nothing is done.
LOAD: Final = f"""#!lua
{_GENERATION}
local current = redis.call('HGET', KEYS[1], 'current')
if not current then return end
local g = load(current - ARGV[1])
for d = 2, #ARGV, 3 do
  enter(g, tonumber(ARGV[d]), ARGV[d + 1], ARGV[d + 2])
end
save(g)
"""

# KEYS: prefix, lock; ARGV: run that the index is complete for, number from which to count on, token of the lock, name
# of a new epoch. Nothing is done on a server that was started anew meanwhile, since what was loaded may be gone, nor
# for one who lost the lock. A complete index keeps its epoch.
FINISH: Final = f"""#!lua
{_GENERATION}
if server_run() ~= ARGV[1] or redis.call('GET', KEYS[2]) ~= ARGV[3] then return 0 end
if tonumber(ARGV[2]) > tonumber(redis.call('HGET', KEYS[1], 'number') or 0) then
  redis.call('HSET', KEYS[1], 'number', ARGV[2])
end
if redis.call('HGET', KEYS[1], 'run') ~= ARGV[1] or redis.call('HEXISTS', KEYS[1], 'epoch') == 0 then
  redis.call('HSET', KEYS[1], 'run', ARGV[1], 'epoch', ARGV[4])
end
return 1
"""

# KEYS: prefix; ARGV: bytes of all generations, buckets or records to remove at once. Takes the oldest generation out of
# use while there is more than `bytes`, and removes a slice of one that is out of use. Answers whether there is more to
# remove. It runs on a full Redis, whose memory it frees.
TIDY: Final = f"""#!lua flags=allow-oom
{_GENERATION}
local meta = redis.call('HMGET', KEYS[1], 'current', 'oldest', 'dropped')
if not meta[1] then return 0 end
local current, oldest, dropped = tonumber(meta[1]), tonumber(meta[2]), tonumber(meta[3] or 0)
local total = 0
for g = oldest, current do total = total + load(g).bytes end
while total > tonumber(ARGV[1]) and oldest < current do
  total = total - load(oldest).bytes
  oldest = oldest + 1
  redis.call('HSET', KEYS[1], 'oldest', oldest)
end
while dropped < oldest and redis.call('EXISTS', prefix .. dropped) == 0 do dropped = dropped + 1 end
redis.call('HSET', KEYS[1], 'dropped', dropped)
if dropped == oldest then return 0 end
local g, left = load(dropped), tonumber(ARGV[2])
local buckets = tonumber(redis.call('HGET', g.at, 'buckets') or 2 ^ g.level + g.split)
while left > 0 and buckets > 0 do
  buckets, left = buckets - 1, left - 1
  redis.call('UNLINK', g.at .. ':' .. buckets)
end
local last = math.min(g.low + left, g.high)
if left > 0 then
  for number = g.low, last do redis.call('UNLINK', g.at .. ':r' .. number) end
end
if left > 0 and last == g.high then redis.call('UNLINK', g.at)
else redis.call('HSET', g.at, 'buckets', buckets, 'low', left > 0 and last + 1 or g.low) end
return 1
"""
