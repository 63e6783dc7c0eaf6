package mock

import (
	"encoding/json"
	"mime"
	"strconv"
	"strings"

	"gatehouse/policy"
)

// An answer is an example, encoded once.
type answer struct {
	status      int
	name        string
	contentType string
	mediaType   string // contentType without parameters
	body        []byte
}

type answers []answer

func encode(e policy.Example) answer {
	a := answer{status: e.Status, name: e.Name, contentType: e.ContentType}
	if a.contentType == "" && len(e.Body) > 0 {
		a.contentType = "application/json"
	}
	a.mediaType, _, _ = mime.ParseMediaType(a.contentType)
	a.body = e.Body
	if !isJSON(a.mediaType) {
		var text string
		if json.Unmarshal(e.Body, &text) == nil {
			a.body = []byte(text)
		}
	}
	if e.Status == 204 || e.Status == 205 || e.Status == 304 { // RFC 9110 §15.3.5, §15.3.6, §15.4.5
		a.body, a.contentType = nil, ""
	}
	return a
}

func isJSON(mediaType string) bool {
	return mediaType == "application/json" || strings.HasSuffix(mediaType, "+json")
}

func isMediaType(text string) bool {
	m, _, err := mime.ParseMediaType(text)
	return err == nil && strings.Contains(m, "/") && policy.IsValue(text) && len(text) <= 200
}

// pick finds the answer that the caller prefers; the first is the usual one.
func (all answers) pick(h policy.Header) *answer {
	if len(all) == 1 {
		return &all[0]
	}
	status, name := all[0].status, all[0].name
	code, example := preferences(h)
	if code != 0 || example != "" {
		status, name = code, example
	}
	accept := h.Values("Accept")
	var found *answer
	for i := range all {
		a := &all[i]
		if status != 0 && a.status != status || (code != 0 || example != "") && name != "" && a.name != name {
			continue
		}
		if admits(accept, a.mediaType) {
			return a
		}
		if found == nil {
			found = a
		}
	}
	if found == nil {
		return &all[0]
	}
	return found
}

// preferences reads Prefer (RFC 7240 §2): code=404, example=empty.
func preferences(h policy.Header) (code int, example string) {
	for _, line := range h.Values("Prefer") {
		for p := range strings.SplitSeq(line, ",") {
			k, v, _ := strings.Cut(strings.TrimSpace(p), "=")
			v = strings.Trim(v, `"`)
			switch strings.ToLower(k) {
			case "code":
				code, _ = strconv.Atoi(v)
			case "example":
				example = v
			}
		}
	}
	return code, example
}

// admits tells whether Accept (RFC 9110 §12.5.1) admits the media type. Weights
// only matter where they are zero: the order of examples decides otherwise.
func admits(accept []string, mediaType string) bool {
	if len(accept) == 0 {
		return true
	}
	for _, line := range accept {
		for r := range strings.SplitSeq(line, ",") {
			m, params, err := mime.ParseMediaType(strings.TrimSpace(r))
			if err != nil || params["q"] == "0" {
				continue
			}
			kind, any := strings.CutSuffix(m, "/*")
			if m == "*/*" || m == mediaType || any && strings.HasPrefix(mediaType, kind+"/") {
				return true
			}
		}
	}
	return false
}
