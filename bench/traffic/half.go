package traffic

import (
	"net/http"
	"strconv"

	"gatehouse/gateway/upstream"
	"gatehouse/policy"
	"gatehouse/snapshot"
)

// serveHalf is the upstream half alone behind net/http's server: no routes, no
// policies, no log. It shows what the two ends of a request cost.
func serveHalf(listen, backend string) error {
	b := upstream.NewSet(upstream.Options{}).Acquire(snapshot.Backend{Targets: []snapshot.Target{{URL: "http://" + backend}}})
	return http.ListenAndServe(listen, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := &policy.Exchange{Method: r.Method, Host: r.Host, Upstream: r.URL.EscapedPath(), Query: r.URL.RawQuery}
		x.Header = make(policy.Header, 0, len(r.Header))
		for name, values := range r.Header {
			for _, v := range values {
				x.Header = append(x.Header, policy.Field{Name: name, Value: v})
			}
		}
		a, f := b.Do(r.Context(), x)
		if f != nil {
			w.WriteHeader(f.Status)
			return
		}
		defer a.Body.Close()
		h := w.Header()
		for _, f := range x.Response.Header {
			h[f.Name] = append(h[f.Name], f.Value)
		}
		if a.Length >= 0 {
			h["Content-Length"] = []string{strconv.FormatInt(a.Length, 10)}
		}
		w.WriteHeader(x.Response.Status)
		buf := make([]byte, 4096)
		for {
			n, err := a.Body.Read(buf)
			w.Write(buf[:n])
			if err != nil {
				return
			}
		}
	}))
}
