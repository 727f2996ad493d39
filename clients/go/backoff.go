package llmsidecar

import "time"

const (
	firstPause   = 250 * time.Millisecond
	longestPause = 8 * time.Second
	// maxFailures in a row are followed by givenUpPause.
	maxFailures  = 5
	givenUpPause = 30 * time.Second
	// stableAfter is how long a sidecar must live for its end not to count as a failure.
	stableAfter = 10 * time.Second
)

// backoff tells when a sidecar that has gone may be started anew.
type backoff struct {
	failures int
	last     time.Time
}

// note takes the end of a sidecar that has lived so long after its handshake, or 0 if there was none.
func (b *backoff) note(life time.Duration, now time.Time) {
	b.last = now
	b.failures++
	if life >= stableAfter {
		b.failures = 0
	}
}

// next returns how long to wait, and whether starting is out of the question now.
func (b *backoff) next(now time.Time) (pause time.Duration, givenUp bool) {
	since := now.Sub(b.last)
	if b.failures >= maxFailures {
		return 0, since < givenUpPause
	}
	if b.failures > 1 {
		pause = min(firstPause<<(b.failures-2), longestPause)
	}
	return max(0, pause-since), false
}
