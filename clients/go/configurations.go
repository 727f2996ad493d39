package llmsidecar

import (
	"encoding/json"
	"slices"
	"sync"
)

// The methods that change configurations.
const (
	configure = "providers.configure"
	setActive = "providers.set_active"
	remove    = "providers.remove"
)

func isConfiguration(method string) bool {
	return method == configure || method == setActive || method == remove
}

// configurations are those that were made through a client and hold now, so that they can be made again. They hold
// keys, and so are never shown.
type configurations struct {
	mu     sync.Mutex
	order  []string
	params map[string][]byte // of `providers.configure`, by id
	active struct {
		id     string
		params []byte // of `providers.set_active`
	}
}

// String hides what there may be of keys.
func (*configurations) String() string { return hidden }

// GoString hides what there may be of keys.
func (*configurations) GoString() string { return hidden }

// note keeps in mind what a call that succeeded has changed.
func (c *configurations) note(method string, params []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	id := configuredID(params)
	switch method {
	case configure:
		c.configure(id, params)
	case setActive:
		c.setActive(id, params)
	case remove:
		c.drop(id)
		if c.active.id == id {
			c.active.id, c.active.params = "", nil
		}
	}
}

func (c *configurations) configure(id string, params []byte) {
	c.drop(id)
	if c.params == nil {
		c.params = map[string][]byte{}
	}
	c.order, c.params[id] = append(c.order, id), params
	if c.active.id == id {
		c.active.params = byID(id)
	}
}

func (c *configurations) setActive(id string, params []byte) {
	config, before := member(params, "config"), member(c.active.params, "config")
	hasConfig, hadConfig := first(config) == '{', first(before) == '{'
	if hadConfig && c.active.id == id && !hasConfig {
		return
	}
	if hadConfig && c.active.id != id {
		c.configure(c.active.id, []byte(`{"config":`+string(before)+`}`))
	}
	if hasConfig {
		c.drop(id)
	}
	c.active.id, c.active.params = id, params
}

func (c *configurations) drop(id string) {
	delete(c.params, id)
	c.order = slices.DeleteFunc(c.order, func(other string) bool { return other == id })
}

// again calls send for each call that makes the configurations again, in their order.
func (c *configurations) again(send func(method string, params []byte)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, id := range c.order {
		send(configure, c.params[id])
	}
	if c.active.params != nil {
		send(setActive, c.active.params)
	}
}

// configuredID returns the id in the params of a call: the configuration's own, or the provider's.
func configuredID(params []byte) string {
	if config := member(params, "config"); first(config) == '{' {
		params = config
	}
	for _, name := range []string{"id", "provider"} {
		if id := member(params, name); first(id) == '"' && len(id) > len(`""`) {
			return string(unquoted(id))
		}
	}
	return ""
}

func byID(id string) []byte {
	params, _ := json.Marshal(SetActiveParams{Provider: id}) // texts can always be encoded
	return params
}
