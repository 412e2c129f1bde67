-- Sends the keys of a file at random, and tells the outcome in the words of load.ts.
local requests = {}

function init(args)
  local keys = {}
  for key in io.lines(args[1]) do keys[#keys + 1] = key end
  local addresses = tonumber(args[2])
  math.randomseed(os.time())
  for index = 0, math.max(#keys, addresses) - 1 do
    local headers = {
      ['User-Agent'] = 'latchkey-bench/1',
      ['Accept'] = 'application/json',
      ['X-API-Key'] = keys[index % #keys + 1],
    }
    if addresses > 0 then
      headers['X-Forwarded-For'] =
        string.format('10.%d.%d.%d', math.floor(index / 65536) % 256, math.floor(index / 256) % 256, index % 256)
    end
    requests[#requests + 1] = wrk.format('GET', nil, headers)
  end
end

function request()
  return requests[math.random(#requests)]
end

function done(summary, latency)
  local errors = summary.errors
  local failed = errors.status + errors.connect + errors.read + errors.write + errors.timeout
  local refused = failed > 0 and string.format('{"not 200": %d}', failed) or '{}'
  io.stderr:write(string.format(
    '{"perSecond": %f, "answered": %d, "refused": %s, "p50Ms": %f, "p99Ms": %f}',
    summary.requests / summary.duration * 1e6, summary.requests, refused,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
