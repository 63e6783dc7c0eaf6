package traffic

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// nginxConfig is nginx as a proxy that keeps its connections to the backend,
// with one worker. "apim" adds what the gateway does for a product, "tls" the
// certificate and the cipher that the gateway picks.
func nginxConfig(dir, listen, backend, work string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `daemon off;
worker_processes 1;
pid %[1]s/nginx.pid;
error_log %[1]s/error.log crit;
events { worker_connections 4096; }
http {
	client_body_temp_path %[1]s; proxy_temp_path %[1]s; fastcgi_temp_path %[1]s; uwsgi_temp_path %[1]s; scgi_temp_path %[1]s;
	keepalive_requests 1000000000;
	upstream backend { server %[2]s; keepalive 512; keepalive_requests 1000000000; }
	access_log off;
`, dir, backend)
	guard := ""
	if work == "apim" {
		b.WriteString("\tmap_hash_max_size 65536;\n\tmap_hash_bucket_size 128;\n\tmap $http_x_api_key $consumer {\n\t\tdefault \"\";\n")
		for i := range consumers {
			fmt.Fprintf(&b, "\t\t%q \"consumer-%d\";\n", Key(i), i)
		}
		fmt.Fprintf(&b, `	}
	limit_req_zone $consumer zone=consumers:16m rate=1000000r/s;
	log_format line escape=json '{"time":"$time_iso8601","id":"$request_id","consumer":"$consumer","method":"$request_method","host":"$host","path":"$uri","status":$status,"in":$request_length,"out":$body_bytes_sent,"ms":$request_time}';
	access_log %s/access.log line buffer=64k flush=1s;
`, dir)
		guard = `if ($consumer = "") { return 401; } limit_req zone=consumers burst=100000 nodelay; proxy_set_header X-API-Key "";`
	}
	if work == "tls" {
		listen += " ssl http2"
		listen += fmt.Sprintf(";\n\t\tssl_certificate ../%s; ssl_certificate_key ../%s; ssl_protocols TLSv1.3; ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256", certFile, keyFile)
	}
	fmt.Fprintf(&b, `	server {
		listen %s;
		location / {
			%s
			proxy_pass http://backend;
			proxy_http_version 1.1;
			proxy_set_header Connection "";
			proxy_set_header X-Forwarded-For $remote_addr;
			proxy_set_header X-Request-Id $request_id;
		}
	}
}
`, listen, guard)
	return b.String()
}

// Key is the API key of one consumer, of the length and alphabet of ours.
func Key(i int) string { return fmt.Sprintf("gh_%056d", i) }

// nginx runs in a folder of its own.
func nginx(work string) starter {
	return func(pin []string, dir, backend string) (*process, error) {
		listen, err := freeAddr()
		if err != nil {
			return nil, err
		}
		own, err := os.MkdirTemp(dir, "nginx")
		if err != nil {
			return nil, err
		}
		if err := os.Chmod(own, 0o777); err != nil { // its worker is another user
			return nil, err
		}
		conf := filepath.Join(own, "nginx.conf")
		if err := os.WriteFile(conf, []byte(nginxConfig(own, listen, backend, work)), 0o644); err != nil {
			return nil, err
		}
		return start(pin, listen, "nginx", "-p", own, "-c", conf, "-e", filepath.Join(own, "error.log"))
	}
}
