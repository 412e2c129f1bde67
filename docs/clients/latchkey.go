// Package latchkey guards handlers by Latchkey keys: copy this file. README.md beside it shows its use and its decisions.
package latchkey

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Verdict is what Latchkey says of a key. Serve the data of its TenantID, whatever else the request says.
type Verdict struct {
	Valid           bool
	KeyID, TenantID string
	Scopes          []string
	ExternalID      *string
	ExpiresAt       time.Time
	Refusal         map[string]map[string]any // What to answer a caller who is not let in: headers and problem.
}

// Guard asks a Latchkey. Set its options before it is used.
type Guard struct {
	Client   http.Client   // Its Timeout is how long an answer is waited for: a second.
	Allow    bool          // While Latchkey is away, everybody is let in unchecked, where there would be a 503.
	Remember time.Duration // How long a good key passes unasked: no limit counts that, and so late a revoke may be.
	url, key string
	good     sync.Map
}

// New makes a guard of the Latchkey at url, which is asked with this backend's own key, of the scope keys:verify.
func New(url, key string) *Guard {
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse } // No key goes elsewhere.
	client := http.Client{Timeout: time.Second, CheckRedirect: stay, Transport: &http.Transport{MaxIdleConnsPerHost: 100}}
	return &Guard{Client: client, url: url + "/api/v1/keys/verify", key: strings.TrimSpace(key)}
}

// From gives the verdict that let the request in; its KeyID is empty where Allow did.
func From(r *http.Request) Verdict { return r.Context().Value((*Verdict)(nil)).(Verdict) }

// Require lets requests through whose key holds all of the scopes; resource, such as GET /projects, is for the key's log.
func (g *Guard) Require(next http.Handler, resource string, scopes ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := g.check(r, resource, scopes)
		if v.Valid {
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), (*Verdict)(nil), v)))
			return
		}
		for name, value := range v.Refusal["headers"] {
			w.Header().Set(name, value.(string))
		}
		w.WriteHeader(int(v.Refusal["problem"]["status"].(float64)))
		_ = json.NewEncoder(w).Encode(v.Refusal["problem"])
	})
}

func (g *Guard) check(r *http.Request, resource string, scopes []string) Verdict {
	shown := append([]string{}, r.Header["X-Api-Key"]...)
	for _, line := range r.Header["Authorization"] {
		scheme, key, _ := strings.Cut(line, " ")
		if strings.EqualFold(scheme, "ApiKey") || strings.EqualFold(scheme, "Bearer") {
			shown = append(shown, strings.TrimSpace(key))
		}
	}
	if len(shown) == 0 {
		return refused(401, "WWW-Authenticate", `Bearer realm="latchkey", ApiKey realm="latchkey"`,
			"missing_credential", "Credential required", "Send an API key.")
	} else if len(shown) > 1 {
		return refused(400, "Cache-Control", "no-store",
			"ambiguous_credentials", "More than one credential", "Send exactly one credential, once.")
	}
	ip, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil { // An address in no network: where none is sent, networks are not checked.
		ip = "0.0.0.0"
	}
	question, _ := json.Marshal(map[string]any{"key": shown[0], "ip": ip, "scopes": scopes,
		"resource": resource, "userAgent": r.UserAgent()})
	name, now := sha256.Sum256(question), time.Now()
	if known, ok := g.good.Load(name); ok && now.Before(known.(Verdict).ExpiresAt) {
		return known.(Verdict)
	}
	v := Verdict{ExpiresAt: now.AddDate(100, 0, 0)} // What the null of a key without an end leaves.
	if status, err := g.ask(string(question), &v); err != nil || status != 200 || !v.Valid && v.Refusal == nil {
		log.Print("Latchkey gave no verdict: ", status, " ", err)
		v = refused(503, "Retry-After", "1",
			"temporarily_unavailable", "Temporarily unavailable", "Keys cannot be checked; try again shortly.")
		v.Valid = g.Allow && (status == 0 || status >= 500) // Below 500 it is about our own key or question.
	} else if v.Valid && g.Remember > 0 {
		g.good.Store(name, v)
		time.AfterFunc(time.Until(now.Add(g.Remember)), func() { g.good.Delete(name) })
	}
	return v
}

func (g *Guard) ask(question string, v *Verdict) (status int, err error) {
	request, err := http.NewRequest("POST", g.url, strings.NewReader(question))
	if err != nil {
		return 400, err
	}
	// The last header is not sent: it lets the question be asked again where a kept connection had been closed.
	request.Header = http.Header{"X-Api-Key": {g.key}, "Content-Type": {"application/json"}, "X-Idempotency-Key": {}}
	answer, err := g.Client.Do(request)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	return answer.StatusCode, json.NewDecoder(answer.Body).Decode(v)
}

func refused(status float64, header, value, code, title, detail string) Verdict {
	headers := map[string]any{"Content-Type": "application/problem+json", "Cache-Control": "no-store", header: value}
	problem := map[string]any{"type": "urn:latchkey:problem:" + code, "title": title, "status": status,
		"detail": detail, "code": code}
	return Verdict{Refusal: map[string]map[string]any{"headers": headers, "problem": problem}}
}
