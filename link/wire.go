package link

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/zstd"

	"gatehouse/jsonx"
	"gatehouse/snapshot"
)

// Encoded is the Content-Encoding of compressed bodies (RFC 8878).
const encoded = "zstd"

// worth is the size from which compressing pays.
const worth = 1 << 10

var encoder = sync.OnceValue(func() *zstd.Encoder {
	e, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest))
	if err != nil {
		panic(err) // constant options
	}
	return e
})

// unzip reads zstd within the memory a body may take.
func unzip(r io.Reader) (*zstd.Decoder, error) {
	return zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(MaxManifest), zstd.WithDecoderMaxWindow(8<<20), zstd.WithDecoderLowmem(true))
}

// pack writes v as JSON, which it may be already, compressed when that pays;
// encoding is "" or zstd.
func pack(v any) (body []byte, encoding string, err error) {
	if raw, ok := v.(json.RawMessage); ok {
		body = raw
	} else {
		body, err = json.Marshal(v)
	}
	if err != nil || len(body) < worth {
		return body, "", err
	}
	return encoder().EncodeAll(body, nil), encoded, nil
}

// unpack reads JSON of at most limit bytes, compressed or not, into v. Fields
// it does not know are passed over: a younger peer may say more.
func unpack(r io.Reader, encoding string, limit int64, v any) error {
	data, err := readAll(r, encoding, limit)
	if err != nil {
		return err
	}
	if err := jsonx.CheckDepth(data); err != nil {
		return err
	}
	return json.Unmarshal(data, v)
}

// errTooLarge is told apart to answer 413.
var errTooLarge = errors.New("body is larger than the protocol allows")

func readAll(r io.Reader, encoding string, limit int64) ([]byte, error) {
	r = io.LimitReader(r, limit+1)
	switch encoding {
	case "":
	case encoded:
		z, err := unzip(r)
		if err != nil {
			return nil, err
		}
		defer z.Close()
		r = io.LimitReader(z, limit+1)
	default:
		return nil, fmt.Errorf("content encoding %q is not known", encoding)
	}
	var b bytes.Buffer
	if _, err := b.ReadFrom(r); err != nil {
		return nil, err
	}
	if int64(b.Len()) > limit {
		return nil, errTooLarge
	}
	return b.Bytes(), nil
}

// A frame is a chunk with its address: hash, length, bytes.
const frameHead = len(snapshot.Hash{}) + 4

func appendFrameHead(b []byte, h snapshot.Hash, size int) []byte {
	return binary.BigEndian.AppendUint32(append(b, h[:]...), uint32(size))
}

// readFrame reads one frame and proves it; io.EOF at a clean end.
func readFrame(r io.Reader) (snapshot.Hash, []byte, error) {
	var head [frameHead]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return snapshot.Hash{}, nil, err
	}
	h := snapshot.Hash(head[:len(snapshot.Hash{})])
	size := binary.BigEndian.Uint32(head[len(h):])
	if size > MaxChunk {
		return h, nil, fmt.Errorf("chunk %s of %d bytes is above the limit of %d", h, size, MaxChunk)
	}
	// Read as it comes rather than allocate what a stranger announces.
	var b bytes.Buffer
	if n, err := io.CopyN(&b, r, int64(size)); err != nil {
		if n < int64(size) && errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return h, nil, err
	}
	if snapshot.Sum(b.Bytes()) != h {
		return h, nil, fmt.Errorf("chunk %s does not have the content its address states", h)
	}
	return h, b.Bytes(), nil
}
