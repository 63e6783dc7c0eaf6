package traffic

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// traefikRules let everything through to the backend. "apim" adds a limit for
// each key. That a key is known at all the open version cannot check; it is spared
// that.
const traefikRules = `http:
  routers:
    all: {rule: "PathPrefix(` + "`/`" + `)", service: backend, middlewares: [%s]}
  middlewares:
    none: {headers: {customRequestHeaders: {X-Nothing: ""}}}
    limit: {rateLimit: {average: 1000000, burst: 100000, sourceCriterion: {requestHeaderName: X-API-Key}}}
  services:
    backend: {loadBalancer: {servers: [{url: "http://%s"}], serversTransport: kept}}
  serversTransports:
    kept: {maxIdleConnsPerHost: 512}
`

// traefik runs with its rules in a file and with its faster proxy half, which is
// an experiment of theirs. "apim" adds an access log of JSON lines, written in
// blocks, and counts for Prometheus.
func traefik(work string) starter {
	return func(pin []string, dir, backend string) (*process, error) {
		listen, err := freeAddr()
		if err != nil {
			return nil, err
		}
		ops, err := freeAddr()
		if err != nil {
			return nil, err
		}
		guard := "none"
		args := []string{"traefik", "--entryPoints.web.address=" + listen, "--entryPoints.traefik.address=" + ops, "--log.level=ERROR",
			"--global.checkNewVersion=false", "--global.sendAnonymousUsage=false", "--experimental.fastProxy=true"}
		if work == "apim" {
			guard = "limit"
			args = append(args, "--accessLog=true", "--accessLog.format=json", "--accessLog.bufferingSize=500", "--accessLog.filePath="+filepath.Join(dir, "traefik.log"), "--metrics.prometheus=true")
		}
		rules := filepath.Join(dir, "traefik.yaml")
		if err := os.WriteFile(rules, fmt.Appendf(nil, traefikRules, guard, backend), 0o644); err != nil {
			return nil, err
		}
		p, err := start(pin, listen, append(args, "--providers.file.filename="+rules)...)
		if err != nil {
			return nil, err
		}
		if err := answers("http://" + listen + "/orders/v1/orders/5f3c9a"); err != nil {
			p.stop()
			return nil, err
		}
		return p, nil
	}
}

// answers waits until a proxy that listens has read its rules too.
func answers(url string) error {
	for range 500 {
		if resp, err := http.Get(url); err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	return fmt.Errorf("%s is not answered", url)
}
