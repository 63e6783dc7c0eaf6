package traffic

import (
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
)

// serveStock is Go's own reverse proxy, tuned to keep its connections: what a
// gateway would cost without any engine of ours, and with nothing it does.
func serveStock(listen, backend string) error {
	to := &url.URL{Scheme: "http", Host: backend}
	return http.ListenAndServe(listen, &httputil.ReverseProxy{
		ErrorLog:  log.New(io.Discard, "", 0), // wrk leaves requests behind when it ends
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(to) },
		Transport: &http.Transport{MaxIdleConnsPerHost: 1024, DisableCompression: true},
	})
}
