"""Guards WSGI and ASGI apps by Latchkey keys. Copy this file: it takes Python 3.9 or later and no package.
README.md beside it shows its use and says what it decides."""
import asyncio, collections, concurrent.futures, datetime, fnmatch, hashlib, http.client
import json, logging, os, re, threading, time, urllib.parse

CREDENTIAL = re.compile(r"(?:x-api-key:|authorization:(?:ApiKey|Bearer)(?= |$))(.*)", re.I | re.S)


def refused(status, code, title, detail, **more):
    """What is answered where Latchkey is not asked, or gives no answer."""
    problem = {"type": f"urn:latchkey:problem:{code}", "title": title, "status": status, "detail": detail, "code": code}
    headers = {"Content-Type": "application/problem+json", "Cache-Control": "no-store"}
    return {"headers": {**headers, **{name.replace("_", "-"): value for name, value in more.items()}}, "problem": problem}


CHALLENGE = 'Bearer realm="latchkey", ApiKey realm="latchkey"'
NONE = refused(401, "missing_credential", "Credential required", "Send an API key.", WWW_Authenticate=CHALLENGE)
TWO = refused(400, "ambiguous_credentials", "More than one credential", "Send exactly one credential, once.")
NO_RULE = refused(403, "no_matching_rule", "No rule for this request", "No rule is about this request.")
AWAY_DETAIL = "Keys cannot be checked; try again shortly."
AWAY = refused(503, "temporarily_unavailable", "Temporarily unavailable", AWAY_DETAIL, Retry_After="1")


def answer_of(refusal, method):
    body = json.dumps(refusal["problem"]).encode()
    headers = {**refusal["headers"], "Content-Length": str(len(body))}
    return refusal["problem"]["status"], list(headers.items()), b"" if method == "HEAD" else body


class Latchkey:
    """`Latchkey().wsgi(app, rules)` and `.asgi(app, rules)` guard an app by {"GET /projects*": ["projects:read"]}.
    The first rule that matches says which scopes a key must hold, or None where all may in; no match is a 403.
    `timeout` is in seconds. While Latchkey is away requests get 503, or with `allow` all are let in unchecked, with
    None for the key. For `remember` seconds a good key passes unasked: uncounted, and so late a revoke may be."""

    def __init__(self, url=None, key=None, timeout=1.0, allow=False, remember=0):
        self._url = urllib.parse.urlsplit(url or os.environ["LATCHKEY_URL"])
        key = (key or os.environ["LATCHKEY_KEY"]).strip()
        if not re.fullmatch("[!-~]+", key):  # What no header takes: the error of http.client would show it.
            raise ValueError("Set LATCHKEY_KEY to a key.")
        self._headers = {"x-api-key": key, "Content-Type": "application/json"}
        self._timeout, self._allow, self._remember = timeout, allow, remember
        self._remembered, self._lock, self._own = collections.OrderedDict(), threading.Lock(), threading.local()
        self._threads = concurrent.futures.ThreadPoolExecutor(64, "latchkey")  # For ASGI: its event loop never waits.

    def wsgi(self, app, rules):
        def guarded(environ, start_response):
            lines = [f"{name[5:].replace('_', '-')}:{environ[name]}" for name in environ if name.startswith("HTTP_")]
            route = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"
            asked = rules, route, lines, environ.get("REMOTE_ADDR"), time.monotonic()
            environ["latchkey"], refused = self._check(*asked)
            if not refused: return app(environ, start_response)
            status, headers, body = answer_of(refused, environ["REQUEST_METHOD"])
            start_response(f"{status} {http.client.responses.get(status, 'Refused')}", headers)
            return [body]
        return guarded

    def asgi(self, app, rules):
        async def guarded(scope, receive, send):
            if scope["type"] == "lifespan": return await app(scope, receive, send)
            route, address = f"{scope.get('method', 'GET')} {scope['path']}", (scope.get("client") or [None])[0]
            asked = rules, route, [b":".join(h).decode("latin-1") for h in scope["headers"]], address, time.monotonic()
            api_key, refused = await asyncio.get_running_loop().run_in_executor(self._threads, self._check, *asked)
            if not refused: return await app({**scope, "latchkey": api_key}, receive, send)
            if scope["type"] == "websocket": return await send({"type": "websocket.close", "code": 1008})
            status, headers, body = answer_of(refused, scope["method"])
            headers = [(name.lower().encode(), value.encode()) for name, value in headers]
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": body})
        return guarded

    def _check(self, rules, route, lines, address, now):
        """Gives the key, or None, and what to answer instead, or None."""
        rule = next((rule for rule in rules if fnmatch.fnmatchcase(route, rule)), None)
        if rule is None or rules[rule] is None:
            return None, None if rule else NO_RULE
        shown = [match[1].strip() for match in map(CREDENTIAL.fullmatch, lines) if match]
        if len(shown) != 1 or "," in shown[0]:  # Servers join a repeated header by commas.
            return None, TWO if shown else NONE
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
            if status != 200: raise ValueError(f"it answered {status}")
            verdict = json.loads(text)
            if verdict["valid"] is not True: return None, verdict["refusal"]
            ends = datetime.datetime.fromisoformat((verdict["expiresAt"] or "9999-12-31T00:00:00Z")[:19] + "+00:00")
        except Exception as error:
            logging.getLogger("latchkey").warning("Latchkey gave no verdict: %s", error)
            # An answer below 500 is about our own key or question, and never opens.
            return None, None if self._allow and status >= 500 else AWAY
        if self._remember:
            with self._lock:
                self._remembered[name] = verdict, now + min(self._remember, ends.timestamp() - time.time())
                if len(self._remembered) > 10_000: self._remembered.popitem(last=False)
        return verdict, None

    def _post(self, body, deadline):
        kind = http.client.HTTPSConnection if self._url.scheme == "https" else http.client.HTTPConnection
        connection = self._own.__dict__.setdefault("connection", kind(self._url.netloc))
        while True:
            kept, connection.timeout = connection.sock is not None, max(0.001, deadline - time.monotonic())
            try:
                if kept: connection.sock.settimeout(connection.timeout)
                connection.request("POST", "/api/v1/keys/verify", body, self._headers)
                answer = connection.getresponse()
                if connection.sock: connection.sock.settimeout(max(0.001, deadline - time.monotonic()))
                return answer.status, answer.read()
            except Exception as error:
                connection.close()  # A kept connection may have been closed meanwhile: then once more over a new one.
                if not kept or not isinstance(error, ConnectionError): raise
