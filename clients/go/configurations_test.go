package llmsidecar

import (
	"slices"
	"testing"
	"time"
)

func TestConfigurationsAreMadeAgainAsTheyStand(t *testing.T) {
	const a, b = `{"config":{"provider":"ollama","id":"a"}}`, `{"config":{"provider":"openai"}}`
	newer := `{"config":{"provider":"ollama","id":"a","model":"m"}}`
	for _, example := range []struct {
		name    string
		changes [][2]string
		wanted  []string
	}{
		{"the last of an id counts", [][2]string{{configure, a}, {configure, newer}}, []string{configure + newer}},
		{
			"what was active is still configured",
			[][2]string{{setActive, a}, {setActive, b}},
			[]string{configure + a, setActive + b},
		},
		{
			"an id alone changes no configuration",
			[][2]string{{setActive, a}, {setActive, `{"provider":"a"}`}},
			[]string{setActive + a},
		},
		{
			"a newer configuration takes the place of the active one",
			[][2]string{{setActive, a}, {configure, newer}},
			[]string{configure + newer, setActive + `{"provider":"a"}`},
		},
		{"what is removed is gone", [][2]string{{setActive, b}, {configure, a}, {remove, `{"provider":"openai"}`}}, []string{configure + a}},
	} {
		var c configurations
		for _, change := range example.changes {
			c.note(change[0], []byte(change[1]))
		}
		var again []string
		c.again(func(method string, params []byte) { again = append(again, method+string(params)) })
		if !slices.Equal(again, example.wanted) {
			t.Errorf("%s: got %q", example.name, again)
		}
	}
}

func TestPausesBetweenStartsGrowUntilItIsGivenUp(t *testing.T) {
	var b backoff
	now := time.Unix(1_800_000_000, 0)
	for failure, wanted := range []time.Duration{0, 250 * time.Millisecond, 500 * time.Millisecond, time.Second} {
		b.note(time.Second, now)
		if pause, givenUp := b.next(now); pause != wanted || givenUp {
			t.Errorf("after failure %d: got %v and %v", failure, pause, givenUp)
		}
	}
	if pause, _ := b.next(now.Add(400 * time.Millisecond)); pause != 600*time.Millisecond {
		t.Errorf("got %v", pause)
	}
	b.note(0, now)
	if _, givenUp := b.next(now.Add(givenUpPause - 1)); !givenUp {
		t.Error("it was not given up")
	}
	if pause, givenUp := b.next(now.Add(givenUpPause)); pause != 0 || givenUp {
		t.Errorf("got %v and %v", pause, givenUp)
	}
	b.note(stableAfter, now)
	if pause, givenUp := b.next(now); pause != 0 || givenUp {
		t.Errorf("after a long life: got %v and %v", pause, givenUp)
	}
}
