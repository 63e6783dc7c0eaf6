package web

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"path"
	"regexp"
	"strings"
	"testing"
)

func ask(method, target string, header ...string) *http.Response {
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, r)
	return w.Result()
}

func TestPaths(t *testing.T) {
	tests := []struct {
		name, target string
		status       int
		kind         string // Content-Type, where there is a body
		location     string
	}{
		{"the front door", "/", 307, "", "/console/"},
		{"a code given to the front door", "/?code=ghl_x", 307, "", "/console/?code=ghl_x"},
		{"an area without its slash", "/console?code=ghl_x", 307, "", "/console/?code=ghl_x"},
		{"console", "/console/", 200, "text/html; charset=utf-8", ""},
		{"console with a code", "/console/?code=ghl_x", 200, "text/html; charset=utf-8", ""},
		{"a room of the console", "/console/audit", 200, "text/html; charset=utf-8", ""},
		{"a room there is not", "/console/kitchen", 404, "text/html; charset=utf-8", ""},
		{"a folder of a room", "/console/audit/", 404, "text/html; charset=utf-8", ""},
		{"a module", "/console/audit/audit.js", 200, "text/javascript; charset=utf-8", ""},
		{"a style", "/shared/base.css", 200, "text/css; charset=utf-8", ""},
		{"icon", "/favicon.ico", 200, "image/svg+xml", ""},
		{"portal", "/portal/", 200, "text/html; charset=utf-8", ""},
		{"reference", "/reference/", 200, "text/html; charset=utf-8", ""},
		{"a folder is not listed", "/shared/", 404, "text/html; charset=utf-8", ""},
		{"dots do not leave the pages", "/console/../web.go", 404, "text/html; charset=utf-8", ""},
		{"dots in disguise", "/console/%2e%2e/files.go", 404, "text/html; charset=utf-8", ""},
		{"a double slash", "/console//", 404, "text/html; charset=utf-8", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := ask("GET", tt.target)
			if got.StatusCode != tt.status || got.Header.Get("Location") != tt.location {
				t.Errorf("GET %s: got %d to %q, want %d to %q", tt.target, got.StatusCode, got.Header.Get("Location"), tt.status, tt.location)
			}
			if tt.kind != "" && got.Header.Get("Content-Type") != tt.kind {
				t.Errorf("GET %s: got type %q, want %q", tt.target, got.Header.Get("Content-Type"), tt.kind)
			}
		})
	}
}

func TestOwns(t *testing.T) {
	for at, want := range map[string]bool{
		"/": true, "/console": true, "/console/audit": true, "/portal/": true, "/reference/": true, "/shared/base.css": true, "/favicon.ico": true,
		"/v1/catalog": false, "/openapi.json": false, "/consoles/": false, "/link/v1/join": false, "": false,
	} {
		if got := Owns(at); got != want {
			t.Errorf("Owns(%q) = %v, want %v", at, got, want)
		}
	}
}

// TestProtection holds that every answer, good or bad, carries what keeps a
// browser from doing anything that the pages do not.
func TestProtection(t *testing.T) {
	want := map[string]string{"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer", "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin"}
	for _, req := range [][2]string{{"GET", "/"}, {"GET", "/console/"}, {"GET", "/console/kitchen"}, {"GET", "/shared/base.css"}, {"POST", "/console/"}, {"GET", "/reference/"}} {
		got := ask(req[0], req[1])
		for name, value := range want {
			if got.Header.Get(name) != value {
				t.Errorf("%v: %s is %q, want %q", req, name, got.Header.Get(name), value)
			}
		}
		csp := got.Header.Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "img-src 'self' data:", "frame-src 'self'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'", "require-trusted-types-for 'script'"} {
			if !strings.Contains(csp, part) {
				t.Errorf("%v: the policy %q lacks %q", req, csp, part)
			}
		}
		if strings.Contains(csp, "unsafe") || strings.Contains(csp, "http") || strings.Contains(csp, "*") {
			t.Errorf("%v: the policy %q lets strangers in", req, csp)
		}
	}
}

func TestMethods(t *testing.T) {
	for _, m := range []string{"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"} {
		got := ask(m, "/console/")
		if got.StatusCode != http.StatusMethodNotAllowed || got.Header.Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: got %d, Allow %q; want 405, GET, HEAD", m, got.StatusCode, got.Header.Get("Allow"))
		}
	}
	for _, target := range []string{"/console/", "/console/kitchen"} {
		w := httptest.NewRecorder()
		Handler().ServeHTTP(w, httptest.NewRequest("HEAD", target, nil))
		if w.Body.Len() != 0 {
			t.Errorf("HEAD %s: got a body of %d bytes", target, w.Body.Len())
		}
	}
}

// TestCaching holds that a browser asks each time, and is told shortly when
// nothing is new.
func TestCaching(t *testing.T) {
	tags := map[string]string{}
	for at := range files {
		if strings.HasSuffix(at, "missing.html") {
			continue
		}
		first := ask("GET", at)
		tag := first.Header.Get("ETag")
		if first.StatusCode != 200 || first.Header.Get("Cache-Control") != "no-cache" || len(tag) < 20 {
			t.Errorf("GET %s: got %d, Cache-Control %q, ETag %s", at, first.StatusCode, first.Header.Get("Cache-Control"), tag)
		}
		if other, twice := tags[tag]; twice {
			t.Errorf("%s and %s have one ETag", at, other)
		}
		tags[tag] = at
		if again := ask("GET", at, "If-None-Match", tag); again.StatusCode != http.StatusNotModified {
			t.Errorf("GET %s with its own tag: got %d, want 304", at, again.StatusCode)
		}
		if other := ask("GET", at, "If-None-Match", `"another"`); other.StatusCode != 200 {
			t.Errorf("GET %s with another tag: got %d, want 200", at, other.StatusCode)
		}
	}
	if got := ask("GET", "/console/kitchen").Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("a page that is not there: Cache-Control %q, want no-store", got)
	}
}

// forbidden is what no page may hold: the policy would stop most of it, and a
// page that relies on being stopped is broken.
var forbidden = []struct {
	ext, why string
	form     *regexp.Regexp
}{
	{".html", "code within markup", regexp.MustCompile(`(?i)<script(?:\s[^>]*)?>[^<]|\son\w+\s*=|javascript:`)},
	{".html", "style within markup", regexp.MustCompile(`(?i)<style|\sstyle\s*=`)},
	{".js", "data that becomes markup or code", regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|setTimeout\(['"]|createContextualFragment|DOMParser`)},
	{".js", "something kept where a script can read it", regexp.MustCompile(`localStorage|sessionStorage|indexedDB|document\.cookie`)},
	{".css", "something loaded", regexp.MustCompile(`@import|url\(`)},
}

// hosts are the addresses that texts may name; none of them is loaded.
var hosts = []string{"http://www.w3.org/2000/svg", "http://127.0.0.1:", "https://CONTROL:9080", "http://GATEWAY"}

func TestNothingForeign(t *testing.T) {
	address := regexp.MustCompile(`(?i)(?:https?:)?//[a-z0-9][a-z0-9.-]*[^\s'"<]*`)
	for at, f := range files {
		text := string(f.text)
		for _, x := range forbidden {
			if path.Ext(at) == x.ext {
				if m := x.form.FindString(text); m != "" {
					t.Errorf("%s holds %q: %s", at, m, x.why)
				}
			}
		}
		for _, found := range address.FindAllString(text, -1) {
			allowed := false
			for _, h := range hosts {
				allowed = allowed || strings.HasPrefix(found, h)
			}
			if !allowed && strings.Contains(found, ":") {
				t.Errorf("%s names %q: pages load nothing from another host", at, found)
			}
		}
	}
}

var reference = regexp.MustCompile(`(?:from |import\()['"]([^'"]+)['"]|(?:href|src)="(/[^"]*)"|src: '([^']+)'`)

// TestReferences holds that whatever a page loads is there.
func TestReferences(t *testing.T) {
	seen := 0
	for at, f := range files {
		for _, m := range reference.FindAllStringSubmatch(string(f.text), -1) {
			to := m[1] + m[2] + m[3]
			if strings.HasPrefix(to, ".") {
				to = path.Join(path.Dir(at), to)
			}
			seen++
			if _, ok := find(to); !ok {
				t.Errorf("%s refers to %q, which is not there", at, to)
			}
		}
	}
	if seen < 50 {
		t.Errorf("found only %d references; has their form changed?", seen)
	}
}

func TestEmbedded(t *testing.T) {
	for at, f := range files {
		if f.kind == "" {
			t.Errorf("%s is of no type that is served; what is it for?", at)
		}
		if len(f.text) > 64<<10 {
			t.Errorf("%s has %d bytes: these pages are small ones", at, len(f.text))
		}
	}
	for _, want := range []string{"/console/index.html", "/portal/index.html", "/reference/index.html", "/shared/missing.html", "/shared/base.css"} {
		if _, ok := files[want]; !ok {
			t.Errorf("%s is not there", want)
		}
	}
	// Every module of a room is reachable as a page, and the frame names it.
	frame := string(files["/console/console.js"].text)
	err := fs.WalkDir(embedded, "console", func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() || name == "console" {
			return err
		}
		room := path.Base(name)
		if _, ok := find("/console/" + room); !ok {
			t.Errorf("room %q has no page", room)
		}
		if !strings.Contains(frame, "name: '"+room+"'") {
			t.Errorf("the console's frame does not name room %q", room)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
