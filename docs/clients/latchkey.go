// Package latchkey guards handlers by Latchkey keys. Copy this file: it takes Go 1.18 or later and no module.
// README.md beside it shows its use and says what it decides.
package latchkey

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Verdict is what Latchkey says of a key. Serve the data of its TenantID, whatever else the request says.
type Verdict struct {
	KeyID, TenantID, Code string
	Valid                 bool
	Scopes, MissingScopes []string
	ExternalID            *string
	RateLimit             struct{ ResetSeconds int }
	ExpiresAt, until      time.Time
}

// Guard asks the Latchkey at url with key, this backend's own, which holds the scope keys:verify.
type Guard struct {
	url, key string
	Timeout  time.Duration // How long an answer is waited for.
	Allow    bool          // While Latchkey is away, everybody is let in unchecked, where there would be a 503.
	Remember time.Duration // How long a good key passes unasked: no limit counts that, and so late a revoke may be.
	lock     sync.Mutex
	good     map[[32]byte]Verdict
}

type contextKey struct{}
type problem struct {
	status                         int
	code, title, detail, challenge string
}

const invalid = `Bearer realm="latchkey", error="invalid_token", ApiKey realm="latchkey"`

// What Latchkey itself says to such a key; a code that is not here is a 403.
var problems = map[string]problem{
	"two":                {400, "ambiguous_credentials", "More than one credential", "Send exactly one credential, once.", ""},
	"none":               {401, "missing_credential", "Credential required", "Send an API key.", `Bearer realm="latchkey", ApiKey realm="latchkey"`},
	"not_found":          {401, "invalid_key", "Invalid API key", "This is not a valid API key.", invalid},
	"revoked":            {401, "key_revoked", "API key revoked", "This API key has been revoked.", invalid},
	"expired":            {401, "key_expired", "API key expired", "This API key has expired.", invalid},
	"paused":             {401, "key_paused", "API key paused", "This API key is paused.", invalid},
	"insufficient_scope": {403, "insufficient_scope", "Missing scope", "Missing required scope: %", `Bearer realm="latchkey", error="insufficient_scope", scope="%"`},
	"rate_limited":       {429, "rate_limited", "Too many requests", "Too many requests; try again later.", ""},
	"quota_exceeded":     {429, "quota_exceeded", "Quota spent", "This API key has used its quota for the month.", ""},
	"away":               {503, "temporarily_unavailable", "Temporarily unavailable", "Keys cannot be checked; try again shortly.", ""},
}
var transport = &http.Transport{Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: 100, IdleConnTimeout: time.Minute}

// New makes a guard that waits a second, refuses while Latchkey is away, and remembers nothing.
func New(url, key string) *Guard {
	return &Guard{url: url, key: key, Timeout: time.Second, good: map[[32]byte]Verdict{}}
}

// From gives the verdict that let the request in; its KeyID is empty where Allow did.
func From(r *http.Request) Verdict { return r.Context().Value(contextKey{}).(Verdict) }

// Require lets requests through whose key holds the scopes, one at least. The resource, such as GET /projects, names the
// route in the key's log. Behind a proxy, RemoteAddr is to be set before.
func (g *Guard) Require(next http.Handler, resource string, scopes ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if v := g.check(r, resource, scopes); v.Valid {
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), contextKey{}, v)))
		} else {
			refuse(w, v)
		}
	})
}

func (g *Guard) check(r *http.Request, resource string, scopes []string) (v Verdict) {
	shown := append([]string{}, r.Header["X-Api-Key"]...)
	for _, line := range r.Header["Authorization"] {
		scheme, key, _ := strings.Cut(line, " ")
		if strings.EqualFold(scheme, "ApiKey") || strings.EqualFold(scheme, "Bearer") {
			shown = append(shown, strings.TrimSpace(key))
		}
	}
	if len(shown) == 0 {
		return Verdict{Code: "none"}
	} else if len(shown) > 1 {
		return Verdict{Code: "two"}
	} else if len(shown[0]) > 256 {
		return Verdict{Code: "not_found"}
	}
	ip, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil { // An address in no network: where none is sent, networks are not checked.
		ip = "0.0.0.0"
	}
	name, now := sha256.Sum256([]byte(fmt.Sprintf("%q %s %q", shown, ip, scopes))), time.Now()
	g.lock.Lock()
	v = g.good[name]
	g.lock.Unlock()
	if now.Before(v.until) {
		return v
	}
	v, status, err := g.ask(map[string]any{"key": shown[0], "ip": ip, "scopes": scopes, "resource": resource,
		"userAgent": fmt.Sprintf("%.512s", r.UserAgent())})
	if err != nil || status != 200 {
		log.Print("Latchkey gave no verdict: ", status, " ", v.Code, " ", err)
		// An answer below 500 is about our own key or question, and never opens.
		return Verdict{Code: "away", Valid: g.Allow && (status == 0 || status >= 500)}
	}
	if v.until = now.Add(g.Remember); !v.ExpiresAt.IsZero() && v.ExpiresAt.Before(v.until) {
		v.until = v.ExpiresAt
	}
	if v.Valid && g.Remember > 0 {
		g.lock.Lock()
		defer g.lock.Unlock()
		if len(g.good) >= 10_000 {
			g.good = map[[32]byte]Verdict{}
		}
		g.good[name] = v
	}
	return v
}

func (g *Guard) ask(question map[string]any) (v Verdict, status int, err error) {
	// A caller who hangs up does not end the question: that would look as if Latchkey were away.
	ctx, cancel := context.WithTimeout(context.Background(), g.Timeout)
	defer cancel()
	body, _ := json.Marshal(question)
	request, err := http.NewRequestWithContext(ctx, "POST", g.url+"/api/v1/keys/verify", strings.NewReader(string(body)))
	if err != nil {
		return v, 400, err
	}
	// The last header is not sent: it lets the question be asked again where a kept connection had been closed.
	request.Header = http.Header{"X-Api-Key": {g.key}, "Content-Type": {"application/json"}, "X-Idempotency-Key": {}}
	answer, err := transport.RoundTrip(request) // It follows no redirect, so that no key goes elsewhere.
	if err != nil {
		return v, 0, err
	}
	defer answer.Body.Close()
	err = json.NewDecoder(answer.Body).Decode(&v)
	return v, answer.StatusCode, err
}

func refuse(w http.ResponseWriter, v Verdict) {
	p, known := problems[v.Code]
	if !known {
		p = problem{403, v.Code, "Refused", "This API key may not be used here.", ""}
	}
	scope, now := strings.Join(v.MissingScopes, " "), time.Now().UTC()
	month := time.Until(time.Date(now.Year(), now.Month()+1, 1, 0, 0, 0, 0, time.UTC))
	waits := map[string]int{"rate_limited": v.RateLimit.ResetSeconds, "quota_exceeded": int(month.Seconds()) + 1, "away": 1}
	if wait := waits[v.Code]; wait > 0 {
		w.Header().Set("Retry-After", fmt.Sprint(wait))
	}
	if p.challenge != "" {
		w.Header().Set("WWW-Authenticate", strings.Replace(p.challenge, "%", scope, 1))
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(p.status)
	_ = json.NewEncoder(w).Encode(map[string]any{"type": "urn:latchkey:problem:" + p.code, "title": p.title,
		"status": p.status, "detail": strings.Replace(p.detail, "%", scope, 1), "code": p.code})
}
