package link

import (
	"context"
	"sync"
	"time"
)

// await waits for news, or until the gateway judged anew by its clock: then it
// is judged that counts, and what was asked for is asked for again.
func (r *Runner) await(ctx context.Context, wait time.Duration) (news *Update, judged bool, err error) {
	if r.Judged == nil {
		news, err = r.Client.Manifest(ctx, r.current, r.struck, wait, r.health())
		return news, false, err
	}
	polling, end := context.WithCancel(ctx)
	var watch sync.WaitGroup
	watch.Go(func() {
		select {
		case <-r.Judged:
			judged = true
			end()
		case <-polling.Done():
		}
	})
	news, err = r.Client.Manifest(polling, r.current, r.struck, wait, r.health())
	end()
	watch.Wait()
	if judged && news != nil {
		// The gateway judges again when it takes the news, and strikes come again.
		judged = news.Strikes != nil
	}
	return news, judged, err
}

// restate makes a new acknowledgement of what is in force already.
func (r *Runner) restate() {
	if r.current == nil || r.standing.Refused != "" {
		return
	}
	r.standing.Time, r.standing.Standing, r.acked = r.Now().UTC(), r.Standing(), false
}
