package traffic

import (
	"fmt"
	"os"
	"path/filepath"
)

// haproxyConfig asks for a token as the gateway does: its algorithm, signature,
// issuer and end, with one thread.
const haproxyConfig = `global
	nbthread 1
	maxconn 4096
defaults
	mode http
	timeout connect 5s
	timeout client 30s
	timeout server 30s
	http-reuse always
frontend in
	bind %[1]s
	option forwardfor
	http-request deny deny_status 401 unless { http_auth_bearer,jwt_header_query('$.alg') -m str RS256 }
	http-request deny deny_status 401 unless { http_auth_bearer,jwt_verify("RS256","%[2]s") -m int 1 }
	http-request deny deny_status 401 unless { http_auth_bearer,jwt_payload_query('$.iss') -m str %[3]s }
	http-request set-var(txn.now) date()
	http-request set-var(txn.exp) http_auth_bearer,jwt_payload_query('$.exp','int')
	http-request deny deny_status 401 if { var(txn.exp),sub(txn.now) -m int lt 0 }
	http-request del-header Authorization
	default_backend out
backend out
	server one %[4]s maxconn 1024 pool-max-conn 1024
`

// haproxy runs with what it is told in a file of its own.
func haproxy(pin []string, dir, backend string) (*process, error) {
	listen, err := freeAddr()
	if err != nil {
		return nil, err
	}
	conf := filepath.Join(dir, "haproxy.cfg")
	text := fmt.Sprintf(haproxyConfig, listen, filepath.Join(dir, publicFile), issuer, backend)
	if err := os.WriteFile(conf, []byte(text), 0o644); err != nil {
		return nil, err
	}
	return start(pin, listen, "haproxy", "-db", "-f", conf)
}
