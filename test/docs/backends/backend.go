// A backend guarded by docs/clients/latchkey.go.
package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"backend/latchkey"
)

func main() {
	url, key := os.Getenv("LATCHKEY_URL"), os.Getenv("LATCHKEY_KEY")
	remembering := latchkey.New(url, key)
	remembering.Remember = time.Second
	lasting := latchkey.New(url, key)
	lasting.Remember = time.Minute
	hanging := latchkey.New(os.Getenv("HANGING_URL"), key)
	hanging.Client.Timeout = 300 * time.Millisecond
	open := latchkey.New(os.Getenv("AWAY_URL"), key)
	open.Allow = true
	stranger := latchkey.New(url, "fsk_live_nobody")
	stranger.Allow = true

	moved := latchkey.New(os.Getenv("MOVED_URL"), key)
	moved.Allow = true

	guard := func(guard *latchkey.Guard, path, scope string) {
		http.Handle(path, guard.Require(http.HandlerFunc(tell), "GET "+path, scope))
	}
	guard(latchkey.New(url, key), "/projects", "projects:read")
	guard(remembering, "/remembered", "projects:read")
	guard(lasting, "/lasting", "projects:read")
	guard(lasting, "/lasting/files", "files:read")
	guard(hanging, "/hanging", "projects:read")
	guard(open, "/open", "projects:read")
	guard(stranger, "/stranger", "projects:read")
	guard(moved, "/moved", "projects:read")

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	panic(http.Serve(listener, nil))
}

func tell(w http.ResponseWriter, r *http.Request) {
	told := map[string]any{"keyId": nil, "tenantId": nil, "scopes": nil, "externalId": nil}
	if key := latchkey.From(r); key.KeyID != "" {
		told = map[string]any{"keyId": key.KeyID, "tenantId": key.TenantID, "scopes": key.Scopes, "externalId": key.ExternalID}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(told)
}
