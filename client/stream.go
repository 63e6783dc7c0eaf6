package client

import (
	"context"
	"errors"
	"fmt"
	"io"

	"gatehouse"
	"gatehouse/adminapi"
)

// GetEvidencePack carries out gate.evidence: it writes the pack to w as it
// comes, and fails when it breaks off.
func (c *Client) GetEvidencePack(ctx context.Context, in adminapi.EvidencePackRequest, w io.Writer) error {
	resp, err := c.send(ctx, adminapi.GetEvidencePack.Operation, &in)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if n, err := io.Copy(w, resp.Body); errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return gatehouse.E(gatehouse.Unavailable, "reading the pack: the connection broke after %d bytes", n)
	} else if err != nil {
		return fmt.Errorf("reading the pack: %w", err)
	}
	return nil
}
