package document

import (
	"fmt"
	"html"
	"net/mail"
	"net/url"
	"strings"
	"unicode"
)

// Policy is the Content-Security-Policy of the HTML: it loads nothing and runs
// nothing.
const Policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

const style = `:root{color-scheme:light dark}
body{font:1rem/1.55 system-ui,sans-serif;max-width:62rem;margin:0 auto;padding:1.5rem;color:#1a1a1a;background:#fff}
h1,h2,h3{line-height:1.25}h2{margin-top:2.5rem;border-bottom:1px solid #767676;padding-bottom:.25rem}
a{color:#0b57d0}a:focus-visible,.wide:focus-visible{outline:3px solid #0b57d0;outline-offset:2px}
.skip{position:absolute;left:-999rem}.skip:focus{left:1rem;top:1rem;background:#fff;padding:.5rem}
table{border-collapse:collapse;width:100%}caption{text-align:left;font-weight:600;padding:.5rem 0}
th,td{text-align:left;vertical-align:top;padding:.4rem .6rem;border:1px solid #8a8a8a;overflow-wrap:anywhere}
th{background:#f1f1f1;overflow-wrap:break-word}dt{font-weight:600}dd{margin:0 0 .6rem 1.2rem;overflow-wrap:anywhere}.wide{overflow-x:auto}
@media (prefers-color-scheme:dark){body{color:#eee;background:#161616}a{color:#8ab4f8}th{background:#2a2a2a}.skip:focus{background:#161616}}
@media print{nav,.skip{display:none}body{max-width:none}}`

// HTML writes the page as one file that needs no other.
func (p *Page) HTML() []byte {
	var b strings.Builder
	b.WriteString("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
	b.WriteString("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n")
	b.WriteString("<meta http-equiv=\"Content-Security-Policy\" content=\"" + Policy + "\">\n")
	b.WriteString("<title>" + escape(p.Title) + "</title>\n<style>\n" + style + "\n</style>\n</head>\n<body>\n")
	b.WriteString("<a class=\"skip\" href=\"#content\">Skip to the content</a>\n<header>\n<h1>" + escape(p.Title) + "</h1>\n</header>\n")
	p.contents(&b)
	b.WriteString("<main id=\"content\">\n")
	for _, x := range p.blocks {
		x.html(&b)
	}
	b.WriteString("</main>\n</body>\n</html>\n")
	return []byte(b.String())
}

func (p *Page) contents(b *strings.Builder) {
	b.WriteString("<nav aria-label=\"Contents\">\n<ul>\n")
	for _, x := range p.blocks {
		if h, ok := x.(heading); ok && h.level == 2 {
			fmt.Fprintf(b, "<li><a href=\"#%s\">%s</a></li>\n", h.id, escape(h.text))
		}
	}
	b.WriteString("</ul>\n</nav>\n")
}

// escape is text in which nothing is markup, and no control character is.
func escape(text string) string {
	return html.EscapeString(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return '·'
		}
		return r
	}, text))
}

// linked is text, as a link where it is an address as a whole.
func linked(text string) string {
	if u, err := url.Parse(text); err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" {
		return fmt.Sprintf("<a href=\"%s\" rel=\"noreferrer\">%s</a>", html.EscapeString(u.String()), escape(text))
	}
	if a, err := mail.ParseAddress(text); err == nil && a.Address == text {
		return fmt.Sprintf("<a href=\"mailto:%s\">%s</a>", html.EscapeString(url.PathEscape(text)), escape(text))
	}
	return escape(text)
}

func (h heading) html(b *strings.Builder) {
	fmt.Fprintf(b, "<h%d id=\"%s\">%s</h%d>\n", h.level, h.id, escape(h.text), h.level)
}

func (x paragraphs) html(b *strings.Builder) {
	for _, lines := range split(x.text) {
		b.WriteString("<p>")
		for i, l := range lines {
			if i > 0 {
				b.WriteString("<br>\n")
			}
			b.WriteString(linked(l))
		}
		b.WriteString("</p>\n")
	}
}

func (l list) html(b *strings.Builder) {
	tag := "ul"
	if l.ordered {
		tag = "ol"
	}
	b.WriteString("<" + tag + ">\n")
	for _, item := range l.items {
		b.WriteString("<li>" + linked(item) + "</li>\n")
	}
	b.WriteString("</" + tag + ">\n")
}

func (f facts) html(b *strings.Builder) {
	b.WriteString("<dl>\n")
	for _, x := range f {
		b.WriteString("<dt>" + escape(x.name) + "</dt><dd>" + linked(x.value) + "</dd>\n")
	}
	b.WriteString("</dl>\n")
}

func (t table) html(b *strings.Builder) {
	// A table that is wider than a small screen scrolls by keyboard too.
	fmt.Fprintf(b, "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"%s\">\n<table>\n", escape(t.caption))
	b.WriteString("<caption>" + escape(t.caption) + "</caption>\n<thead><tr>")
	for _, h := range t.heads {
		b.WriteString("<th scope=\"col\">" + escape(h) + "</th>")
	}
	b.WriteString("</tr></thead>\n<tbody>\n")
	for _, r := range t.rows {
		b.WriteString("<tr>")
		for i, c := range r {
			if i == 0 {
				b.WriteString("<th scope=\"row\">" + linked(c) + "</th>")
				continue
			}
			b.WriteString("<td>" + linked(c) + "</td>")
		}
		b.WriteString("</tr>\n")
	}
	b.WriteString("</tbody>\n</table>\n</div>\n")
	if t.more > 0 {
		fmt.Fprintf(b, "<p>%d more are not shown.</p>\n", t.more)
	}
}
