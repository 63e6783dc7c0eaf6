package definition

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"strings"
	"time"

	"github.com/bufbuild/protocompile"
	"github.com/bufbuild/protocompile/reporter"

	"gatehouse"
)

// readProto reads a protobuf file with its services: each rpc is an operation,
// POST /package.Service/Method, as gRPC over HTTP/2 sends it.
func readProto(s *sources, main string) *Definition {
	for name, data := range s.files {
		if strings.HasSuffix(name, ".proto") && !s.bounded(name, data) {
			return nil
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 8*time.Second)
	defer cancel()
	c := protocompile.Compiler{
		Resolver: protocompile.WithStandardImports(&protocompile.SourceResolver{Accessor: func(name string) (io.ReadCloser, error) {
			if data, ok := s.proto(main, name); ok {
				return io.NopCloser(bytes.NewReader(data)), nil
			}
			return nil, fmt.Errorf("the file %q is missing", name)
		}}),
		MaxParallelism: 1,
		Reporter: reporter.NewReporter(func(err reporter.ErrorWithPos) error {
			if len(s.faults) >= maxFaults {
				return err
			}
			p := err.GetPosition()
			s.faults = append(s.faults, gatehouse.Fault{
				File: p.Filename, Line: max(1, p.Line), Column: max(1, p.Col), Detail: "is not protobuf: " + err.Unwrap().Error(),
			})
			return nil
		}, nil),
	}
	files, err := c.Compile(ctx, main)
	if len(s.faults) > 0 {
		return nil
	}
	if err != nil {
		detail := err.Error()
		if errors.Is(err, context.DeadlineExceeded) {
			detail = "takes too long to compile"
		}
		f := gatehouse.Fault{File: main, Line: 1, Column: 1, Detail: detail}
		if at, ok := errors.AsType[reporter.ErrorWithPos](err); ok {
			p := at.GetPosition()
			f = gatehouse.Fault{File: p.Filename, Line: max(1, p.Line), Column: max(1, p.Col), Detail: "imports what cannot be read: " + at.Unwrap().Error()}
		}
		s.faults = append(s.faults, f)
		return nil
	}
	d := &Definition{Format: Protobuf, FormatVersion: files[0].Syntax().String(), Title: string(files[0].Package())}
	services := files[0].Services()
	for i := range services.Len() {
		methods := services.Get(i).Methods()
		for j := range methods.Len() {
			name := fmt.Sprintf("%s/%s", services.Get(i).FullName(), methods.Get(j).Name())
			d.Operations = append(d.Operations, gatehouse.Operation{ID: name, Method: "POST", Path: "/" + name})
		}
	}
	if len(d.Operations) == 0 {
		s.faults = append(s.faults, gatehouse.Fault{File: main, Line: 1, Column: 1, Detail: "has no service with an rpc, so there is nothing to serve"})
	}
	return d
}

// proto finds an import: protobuf names files from a root that no file states,
// so the main file's folder is tried and then each above it.
func (s *sources) proto(main, name string) ([]byte, bool) {
	if data, ok := s.files[name]; ok {
		return data, true
	}
	for dir := path.Dir(main); ; dir = path.Join(dir, "..") {
		if data, ok := s.files[path.Join(dir, name)]; ok {
			return data, true
		}
		if dir == "." || dir == "/" || strings.Count(dir, "..") > 10 {
			break
		}
	}
	for up := ".."; len(up) < 30; up = path.Join(up, "..") {
		if data, ok := s.files[path.Join(up, name)]; ok {
			return data, true
		}
	}
	return nil, false
}

var protoImport = regexp.MustCompile(`\bimport\s+(?:public\s+|weak\s+)?["']([^"'\n]+)["']`)

// protoImports lists the imports of a file but those every compiler has.
func protoImports(data []byte) []string {
	var out []string
	for _, m := range protoImport.FindAllSubmatch(data, 1000) {
		if name := string(m[1]); !strings.HasPrefix(name, "google/protobuf/") {
			out = append(out, name)
		}
	}
	return out
}
