package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed console portal reference shared
var embedded embed.FS

// files are all pages and what belongs to them, by path.
var files = load(embedded)

// A file is one embedded file as it is sent.
type file struct {
	text []byte
	kind string // Content-Type
	tag  string // ETag: a hash of the text
}

// kinds are the types of files there are. They are ours and not the machine's:
// a system's table must not decide what a browser takes for a script.
var kinds = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8", // RFC 9239
	".svg":  "image/svg+xml",
}

func load(from fs.FS) map[string]file {
	all := map[string]file{}
	err := fs.WalkDir(from, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(from, name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(text)
		all["/"+name] = file{text: text, kind: kinds[path.Ext(name)], tag: `"` + base64.RawURLEncoding.EncodeToString(sum[:18]) + `"`}
		return nil
	})
	if err != nil {
		panic("web: reading what the program itself carries: " + err.Error())
	}
	return all
}

// find is the file at a path: itself, a folder's index, or for a room of the
// console or the portal ("/console/audit", "/portal/mine") that one's page,
// which then shows the room.
func find(at string) (file, bool) {
	if strings.HasSuffix(at, "/") {
		at += "index.html"
	}
	for _, area := range []string{"/console/", "/portal/"} {
		if room, ok := strings.CutPrefix(at, area); ok && !strings.ContainsAny(room, "/.") {
			if _, ok := files[area+room+"/"+room+".js"]; ok {
				at = area + "index.html"
			}
		}
	}
	f, ok := files[at]
	return f, ok && f.kind != ""
}

// serve sends the file. A browser keeps it and asks each time whether it is
// still the same (RFC 9111 §5.2.2.4), so a new program is never mixed with old
// pages.
func (f file) serve(w http.ResponseWriter, r *http.Request, status int) {
	h := w.Header()
	h.Set("Content-Type", f.kind)
	if status != http.StatusOK {
		h.Set("Cache-Control", "no-store")
		w.WriteHeader(status)
		if r.Method != http.MethodHead {
			_, _ = w.Write(f.text) // an error here means the caller has gone
		}
		return
	}
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", f.tag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.text))
}
