package document

import (
	"fmt"
	"strings"
	"unicode"
)

// Markdown writes the page as CommonMark with tables.
func (p *Page) Markdown() []byte {
	var b strings.Builder
	b.WriteString("# " + inline(p.Title) + "\n")
	for _, x := range p.blocks {
		b.WriteByte('\n')
		x.markdown(&b)
	}
	return []byte(b.String())
}

// inline is text on one line in which nothing is markup.
func inline(text string) string {
	var b strings.Builder
	for _, r := range strings.Join(strings.Fields(text), " ") {
		switch {
		case strings.ContainsRune("\\`*_[]<>|&#~", r):
			b.WriteByte('\\')
		case unicode.IsControl(r):
			r = '·'
		}
		b.WriteRune(r)
	}
	return b.String()
}

// line is text at the beginning of a line, where more is markup.
func line(text string) string {
	out := inline(text)
	digits := strings.TrimLeft(out, "0123456789")
	switch {
	case strings.HasPrefix(out, "-"), strings.HasPrefix(out, "+"), strings.HasPrefix(out, "="):
		return "\\" + out
	case digits != out && (strings.HasPrefix(digits, ".") || strings.HasPrefix(digits, ")")):
		return out[:len(out)-len(digits)] + "\\" + digits
	}
	return out
}

func (h heading) markdown(b *strings.Builder) {
	fmt.Fprintf(b, "%s %s\n", strings.Repeat("#", h.level), inline(h.text))
}

func (x paragraphs) markdown(b *strings.Builder) {
	for i, lines := range split(x.text) {
		if i > 0 {
			b.WriteByte('\n')
		}
		for _, l := range lines {
			b.WriteString(line(l) + "\n")
		}
	}
}

func (l list) markdown(b *strings.Builder) {
	for i, item := range l.items {
		mark := "- "
		if l.ordered {
			mark = fmt.Sprintf("%d. ", i+1)
		}
		b.WriteString(mark + line(item) + "\n")
	}
}

func (f facts) markdown(b *strings.Builder) {
	for _, x := range f {
		fmt.Fprintf(b, "- **%s:** %s\n", inline(x.name), inline(x.value))
	}
}

func (t table) markdown(b *strings.Builder) {
	row := func(cells []string) {
		for _, c := range cells {
			b.WriteString("| " + inline(c) + " ")
		}
		b.WriteString("|\n")
	}
	if t.caption != "" {
		b.WriteString(line(t.caption) + "\n\n")
	}
	row(t.heads)
	b.WriteString(strings.Repeat("| --- ", len(t.heads)) + "|\n")
	for _, r := range t.rows {
		row(r)
	}
	if t.more > 0 {
		fmt.Fprintf(b, "\n%d more are not shown.\n", t.more)
	}
}
