"""Guards WSGI and ASGI apps by Latchkey keys. Copy this file: it takes Python 3.9 or later and no package.
README.md beside it shows its use and says what it decides."""
import asyncio, calendar, collections, concurrent.futures, datetime, fnmatch, hashlib, http.client
import json, logging, os, re, threading, time, urllib.parse

# What Latchkey itself says to such a key; a code that is not here is a 403.
PROBLEMS = {
    "two": (400, "ambiguous_credentials", "More than one credential", "Send exactly one credential, once."),
    "none": (401, "missing_credential", "Credential required", "Send an API key."),
    "not_found": (401, "invalid_key", "Invalid API key", "This is not a valid API key."),
    "revoked": (401, "key_revoked", "API key revoked", "This API key has been revoked."),
    "expired": (401, "key_expired", "API key expired", "This API key has expired."),
    "paused": (401, "key_paused", "API key paused", "This API key is paused."),
    "insufficient_scope": (403, "insufficient_scope", "Missing scope", "Missing required scope: "),
    "rate_limited": (429, "rate_limited", "Too many requests", "Too many requests; try again later."),
    "quota_exceeded": (429, "quota_exceeded", "Quota spent", "This API key has used its quota for the month."),
    "away": (503, "temporarily_unavailable", "Temporarily unavailable", "Keys cannot be checked; try again shortly."),
}
CREDENTIAL = re.compile(r"(?:x-api-key:|authorization:(?:ApiKey|Bearer)(?= |$))(.*)", re.I | re.S)

def refusal(why, verdict={}):
    status, code, title, detail = PROBLEMS.get(why, (403, why, "Refused", "This API key may not be used here."))
    scope = " ".join(verdict.get("missingScopes", []))
    headers = {"Content-Type": "application/problem+json", "Cache-Control": "no-store"}
    error = "" if why == "none" else ', error="invalid_token"'
    if scope: headers["WWW-Authenticate"] = f'Bearer realm="latchkey", error="insufficient_scope", scope="{scope}"'
    if status == 401: headers["WWW-Authenticate"] = f'Bearer realm="latchkey"{error}, ApiKey realm="latchkey"'
    days = calendar.monthrange(*time.gmtime()[:2])[1] - time.gmtime().tm_mday + 1
    waits = {"away": 1, "quota_exceeded": days * 86_400 - int(time.time()) % 86_400}
    waits["rate_limited"] = verdict.get("rateLimit", {}).get("resetSeconds", 1)
    if why in waits: headers["Retry-After"] = str(waits[why])
    problem = {"type": f"urn:latchkey:problem:{code}", "title": title, "status": status, "code": code}
    return status, headers, json.dumps({**problem, "detail": detail + scope}).encode()


class Latchkey:
    """`Latchkey().wsgi(app, rules)` and `.asgi(app, rules)` guard an app by {"GET /projects*": ["projects:read"]}.
    The first rule that matches says which scopes a key must hold, or None where all may in; no match is a 403.
    `timeout` is in seconds. While Latchkey is away requests get 503, or with `allow` all are let in unchecked, with
    None for the key. For `remember` seconds a good key passes unasked: uncounted, and so late a revoke may be."""

    def __init__(self, url=None, key=None, timeout=1.0, allow=False, remember=0):
        self._url = urllib.parse.urlsplit(url or os.environ["LATCHKEY_URL"])
        self._headers = {"x-api-key": key or os.environ["LATCHKEY_KEY"], "Content-Type": "application/json"}
        self._timeout, self._allow, self._remember = timeout, allow, remember
        self._remembered, self._own = collections.OrderedDict(), threading.local()
        self._threads = concurrent.futures.ThreadPoolExecutor(64, "latchkey")  # For ASGI: its event loop never waits.

    def wsgi(self, app, rules):
        def guarded(environ, start_response):
            lines = [f"{name[5:].replace('_', '-')}:{environ[name]}" for name in environ if name.startswith("HTTP_")]
            route = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"
            asked = rules, route, lines, environ.get("REMOTE_ADDR"), time.monotonic()
            environ["latchkey"], refused = self._check(*asked)
            if not refused: return app(environ, start_response)
            start_response(f"{refused[0]} {http.client.responses[refused[0]]}", list(refused[1].items()))
            return [refused[2]]
        return guarded

    def asgi(self, app, rules):
        async def guarded(scope, receive, send):
            if scope["type"] not in ("http", "websocket"): return await app(scope, receive, send)
            route, address = f"{scope.get('method', 'GET')} {scope['path']}", (scope.get("client") or [None])[0]
            asked = rules, route, [b":".join(h).decode("latin-1") for h in scope["headers"]], address, time.monotonic()
            api_key, refused = await asyncio.get_running_loop().run_in_executor(self._threads, self._check, *asked)
            if not refused: return await app({**scope, "latchkey": api_key}, receive, send)
            if scope["type"] == "websocket": return await send({"type": "websocket.close", "code": 1008})
            headers = [(name.lower().encode(), value.encode()) for name, value in refused[1].items()]
            await send({"type": "http.response.start", "status": refused[0], "headers": headers})
            await send({"type": "http.response.body", "body": refused[2]})
        return guarded

    def _check(self, rules, route, lines, address, now):
        """Gives the key, or None, and what to answer instead, or None."""
        rule = next((rule for rule in rules if fnmatch.fnmatchcase(route, rule)), None)
        if rule is None or rules[rule] is None:
            return None, None if rule else refusal("no_rule")
        shown = [match[1].strip() for match in map(CREDENTIAL.fullmatch, lines) if match]
        if len(shown) != 1 or "," in shown[0]:  # Servers join a repeated header by commas.
            return None, refusal("two" if shown else "none")
        # An address that is not known is sent as one that is in no network: without any, networks are not checked.
        question = {"key": shown[0][:512], "ip": address or "0.0.0.0"}
        if rules[rule]: question["scopes"] = rules[rule]
        name, status = hashlib.sha256(json.dumps(question).encode()).digest(), 503
        api_key, until = self._remembered.get(name, (None, 0))
        if now < until: return api_key, None
        agent = next((line[11:523] for line in lines if line.lower().startswith("user-agent:")), "")
        try:
            body = json.dumps({**question, "resource": rule, "userAgent": agent})
            status, text = self._post(body, now + self._timeout)
            if status != 200: raise ValueError(f"{status} {text}")
            verdict = json.loads(text)
            if verdict["valid"] is not True: return None, refusal(verdict["code"], verdict)
            ends = datetime.datetime.fromisoformat((verdict["expiresAt"] or "9999-12-31T00:00:00Z")[:19] + "+00:00")
        except Exception as error:
            return self._away(error, status >= 500)
        self._remembered[name] = verdict, now + min(self._remember, ends.timestamp() - time.time())
        if len(self._remembered) > (10_000 if self._remember else 0):
            self._remembered.popitem(last=False)
        return verdict, None

    def _away(self, reason, silent):
        logging.getLogger("latchkey").warning("Latchkey gave no verdict: %r", reason)
        # An answer below 500 is about our own key or question, and never opens.
        return None, None if self._allow and silent else refusal("away")

    def _post(self, body, deadline):
        kind = http.client.HTTPSConnection if self._url.scheme == "https" else http.client.HTTPConnection
        connection = self._own.__dict__.setdefault("connection", kind(self._url.netloc))
        while True:
            kept, connection.timeout = connection.sock is not None, max(0.001, deadline - time.monotonic())
            try:
                if kept: connection.sock.settimeout(connection.timeout)
                connection.request("POST", "/api/v1/keys/verify", body, self._headers)
                answer = connection.getresponse()
                return answer.status, answer.read()
            except Exception as error:
                connection.close()  # A kept connection may have been closed meanwhile: then once more over a new one.
                if not kept or not isinstance(error, ConnectionError): raise
