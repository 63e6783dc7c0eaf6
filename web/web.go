// Package web is the built-in pages of the management listener: the console,
// the portal and the reference of the management API, as plain HTML, CSS and
// JavaScript modules inside the program.
//
// The pages do everything through the management API, as the person who is
// signed in; this package serves files and knows no data, no session and no
// permission. Nothing is built, and nothing is loaded from another host: the
// policy sent with every page (Content Security Policy Level 3) would not let
// it.
//
// A room of the console is a folder named as the room of package control that
// it shows: console/audit/audit.js shows control/audit.
package web

import (
	"net/http"
	"slices"
	"strings"
)

// Policy is the Content-Security-Policy of every page. Scripts and styles are
// files of ours; text never becomes markup or code (Trusted Types without a
// policy); no other page frames these, and what they frame, the service
// description as the server writes it, is sandboxed and may run nothing.
const Policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; frame-src 'self'; " +
	"form-action 'self'; frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// areas are the paths that belong to the pages, each a folder of this package.
var areas = []string{"/console/", "/portal/", "/reference/", "/shared/"}

// Owns tells whether a path is one of the pages'.
func Owns(path string) bool {
	if path == "/" || path == "/favicon.ico" {
		return true
	}
	for _, a := range areas {
		if strings.HasPrefix(path, a) || path == strings.TrimSuffix(a, "/") {
			return true
		}
	}
	return false
}

// Handler serves the pages.
func Handler() http.Handler { return http.HandlerFunc(serve) }

func serve(w http.ResponseWriter, r *http.Request) {
	protect(w.Header())
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD") // RFC 9110 §15.5.6
		http.Error(w, "pages are read with GET; what changes anything is under /v1/", http.StatusMethodNotAllowed)
		return
	}
	path := r.URL.Path
	switch {
	case path == "/":
		redirect(w, r, "/console/")
		return
	case path == "/favicon.ico":
		path = "/shared/mark.svg"
	case slices.Contains(areas, path+"/"):
		redirect(w, r, path+"/")
		return
	}
	f, ok := find(path)
	if !ok {
		files["/shared/missing.html"].serve(w, r, http.StatusNotFound)
		return
	}
	f.serve(w, r, http.StatusOK)
}

// redirect keeps the query: a login code may be in it.
func redirect(w http.ResponseWriter, r *http.Request, to string) {
	if r.URL.RawQuery != "" {
		to += "?" + r.URL.RawQuery
	}
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, to, http.StatusTemporaryRedirect)
}

func protect(h http.Header) {
	h.Set("Content-Security-Policy", Policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
}
