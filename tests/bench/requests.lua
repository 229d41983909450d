-- What wrk sends, one function for each kind of load; the first argument names the kind, the others are the kind's.
-- At the end a line of JSON says what was counted.

local kinds = {}
local threads = {}
answered = 0

local function lines(file)
  local all = {}
  for line in io.lines(file) do all[#all + 1] = line end
  return all
end

local function with(headers)
  for name, value in pairs(wrk.headers) do headers[name] = value end
  return headers
end

local function cycling(requests)
  local at = 0
  return function()
    at = at % #requests + 1
    return requests[at]
  end
end

-- The path of the address, each time with the next of a file's API keys.
function kinds.keys(file)
  local requests = {}
  for _, key in ipairs(lines(file)) do
    requests[#requests + 1] = wrk.format("GET", nil, with({ ["x-api-key"] = key }))
  end
  return cycling(requests)
end

-- The paths of a file, one after the other.
function kinds.paths(file, first)
  local paths, at = lines(file), tonumber(first or 0)
  return function()
    at = at % #paths + 1
    return wrk.format("GET", paths[at])
  end
end

-- Something new with each request: a prefix and a number are put into its JSON.
local function posted(template, prefix)
  local number = 0
  local headers = with({ ["Content-Type"] = "application/json" })
  return function()
    number = number + 1
    return wrk.format("POST", nil, headers, string.format(template, prefix, number))
  end
end

function kinds.creations(prefix)
  return posted('{"username":"%s-%d","password":"a_password","activated":true}', prefix)
end

-- As Flexisip tells of a call.
function kinds.calls(prefix)
  return posted('{"id":"%s-%d","sip_call_id":"a.b~c","from":"alice@localhost","to":"bob@localhost",'
    .. '"devices":{},"initiated_at":"2026-11-24T10:00:00Z","ended_at":null,"conference_id":null}', prefix)
end

-- A request without credentials, then one that answers its challenge; whoever is challenged is named by X-Request-ID,
-- since wrk does not tell which answer belongs to which request.
function kinds.digest(ha1, prefix, domain, count)
  local ffi = require("ffi")
  ffi.cdef("unsigned char *SHA256(const unsigned char *d, size_t n, unsigned char *md);")
  local crypto, bytes = ffi.load("libcrypto.so.3"), ffi.new("unsigned char[32]")
  local function hash(text)
    crypto.SHA256(text, #text, bytes)
    return (ffi.string(bytes, 32):gsub(".", function(byte) return string.format("%02x", byte:byte()) end))
  end
  local ha2, uri = hash("GET:" .. wrk.path), wrk.path
  local challenged, number, id_prefix = {}, 0, "challenge-of-"

  function response(status, headers)
    if status == 200 then
      answered = answered + 1
    elseif status == 401 then
      challenged[#challenged + 1] = { headers["X-Request-Id"]:sub(#id_prefix + 1), headers["WWW-Authenticate"] }
    end
  end

  return function()
    local next_one = table.remove(challenged)
    if not next_one then
      number = number % tonumber(count) + 1
      local name = prefix .. number
      return wrk.format("GET", nil,
        with({ From = "sip:" .. name .. "@" .. domain, ["X-Request-ID"] = id_prefix .. name }))
    end
    local name, challenge = unpack(next_one)
    local realm, nonce = challenge:match('realm="([^"]+)"'), challenge:match('nonce="([^"]+)"')
    local answer = hash(table.concat({ ha1, nonce, "00000001", "c0ffee", "auth", ha2 }, ":"))
    return wrk.format("GET", nil, with({
      From = "sip:" .. name .. "@" .. domain,
      Authorization = string.format(
        'Digest username="%s", realm="%s", nonce="%s", uri="%s", qop=auth, nc=00000001, cnonce="c0ffee", opaque="%s", '
          .. 'algorithm=SHA-256, response="%s"',
        name, realm, nonce, uri, challenge:match('opaque="([^"]+)"'), answer),
    }))
  end
end

function setup(thread) threads[#threads + 1] = thread end

function init(args)
  if #args > 0 then request = kinds[args[1]](unpack(args, 2)) end
end

function done(summary, latency)
  local pairs_answered = 0
  for _, thread in ipairs(threads) do pairs_answered = pairs_answered + thread:get("answered") end
  local errors = summary.errors
  io.write(string.format(
    '{"requests": %d, "seconds": %f, "answered": %d, "refused": %d, "broken": %d, "p50_ms": %f, "p99_ms": %f}\n',
    summary.requests, summary.duration / 1e6, pairs_answered, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
