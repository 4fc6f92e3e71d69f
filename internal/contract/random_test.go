package contract

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// mutator changes a vendor's document at random.
type mutator struct {
	*rand.Rand
	made int
}

// schema returns a random schema.
func (v *mutator) schema(depth int) *yaml.Node {
	v.made++
	name := func(s string) *yaml.Node { return strNode(fmt.Sprint(s, v.made)) }
	switch n := v.IntN(12); {
	case n == 0 && depth > 0:
		return mapNode(strNode("type"), strNode("array"), strNode("items"), v.schema(depth-1))
	case n == 1 && depth > 0:
		return mapNode(strNode("type"), strNode("object"), strNode("additionalProperties"), v.schema(depth-1))
	case n == 2 && depth > 0:
		return mapNode(strNode("anyOf"), seqNode(0, v.schema(depth-1), mapNode(strNode("type"), strNode("null"))))
	case n == 3 && depth > 0:
		return mapNode(strNode("oneOf"), seqNode(0, v.schema(depth-1), v.schema(depth-1)))
	case n == 4 && depth > 0:
		return mapNode(strNode("allOf"), seqNode(0, mapNode(strNode("$ref"), strNode("#/components/schemas/Owner")),
			mapNode(strNode("properties"), mapNode(name("p"), v.schema(depth-1)))))
	case n <= 5 && depth > 0:
		return mapNode(strNode("type"), strNode("object"), strNode("properties"), mapNode(name("p"), v.schema(depth-1), name("q"), v.schema(0)),
			strNode("required"), seqNode(0, name("q")))
	case n == 6:
		return mapNode(strNode("type"), strNode("string"), strNode("enum"), seqNode(0, name("e"), name("f")))
	case n == 7:
		return mapNode(strNode("const"), name("c"))
	case n == 8:
		return mapNode(strNode("type"), strNode("integer"), strNode("minimum"), &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: fmt.Sprint(v.IntN(9))})
	case n == 9:
		return mapNode(strNode("$ref"), strNode("#/components/schemas/"+[]string{"Owner", "Thing", "Problem", "Size"}[v.IntN(4)]))
	case n == 10:
		return mapNode(strNode("type"), strNode("boolean"), strNode("nullable"), boolNode(true))
	default:
		return mapNode(strNode("type"), strNode("string"))
	}
}

// mutate makes one random change to the schemas below n.
func (v *mutator) mutate(n *yaml.Node) {
	var objects, properties []*yaml.Node
	var walk func(n *yaml.Node)
	walk = func(n *yaml.Node) {
		if p := get(n, "properties"); p != nil {
			objects = append(objects, n)
			if len(p.Content) > 0 {
				properties = append(properties, p)
			}
		}
		for _, child := range n.Content {
			walk(child)
		}
	}
	walk(n)
	object := objects[v.IntN(len(objects))]
	list := properties[v.IntN(len(properties))]
	at := 2 * v.IntN(len(list.Content)/2)
	switch v.IntN(6) {
	case 0:
		list.Content = append(list.Content[:at:at], list.Content[at+2:]...)
	case 1:
		v.made++
		get(object, "properties").Content = append(get(object, "properties").Content, strNode(fmt.Sprint("n", v.made)), v.schema(2))
	case 2:
		list.Content[at+1] = v.schema(2)
	case 3:
		list.Content[at+1] = mapNode(strNode("anyOf"), seqNode(0, list.Content[at+1], mapNode(strNode("type"), strNode("null"))))
	case 4:
		if index(object, "required") >= 0 {
			i := index(object, "required")
			object.Content = append(object.Content[:i:i], object.Content[i+2:]...)
		}
	case 5:
		i := index(object, "required")
		if i < 0 {
			object.Content = append(object.Content, strNode("required"), seqNode(0))
			i = len(object.Content) - 2
		}
		for _, key := range keys(get(object, "properties")) {
			if v.IntN(2) == 0 {
				object.Content[i+1].Content = append(object.Content[i+1].Content, strNode(key))
			}
		}
	}
}

// TestSync_RandomChanges verifies that after any combination of changes a sync ends with the same
// structure on both sides, so that a second sync finds no change.
func TestSync_RandomChanges(t *testing.T) {
	contract, base := file(t, "contract.yaml"), file(t, "upstream.yaml")
	changed := 0
	for seed := range uint64(60) {
		v := &mutator{Rand: rand.New(rand.NewPCG(seed, 0))}
		upstream, err := parse("upstream", []byte(base))
		require.NoError(t, err)
		schemas := get(get(upstream.root, "components"), "schemas")
		for range 1 + v.IntN(10) {
			v.mutate(schemas)
		}
		text := encode(upstream.root)
		result := sync(t, contract, text)
		again := sync(t, string(result.Contract), text)
		assert.Empty(t, again.Changes, "seed %d", seed)
		assert.Empty(t, diff(string(result.Contract), string(again.Contract)), "seed %d", seed)
		assert.NotContains(t, string(result.Contract), "VENDOR", "seed %d", seed)
		assert.Equal(t, "", invalidExamples(t, result.Contract), "seed %d", seed)
		changed += len(result.Changes)
	}
	assert.NotZero(t, changed)
}

// invalidExamples returns the error of validating a contract and its examples, or "".
func invalidExamples(t *testing.T, contract []byte) string {
	t.Helper()
	spec, err := openapi3.NewLoader().LoadFromData(contract)
	require.NoError(t, err)
	err = spec.Validate(t.Context(), openapi3.EnableExamplesValidation(), openapi3.AllowExtraSiblingFields("description"))
	if err == nil || strings.Contains(err.Error(), "matches more than one oneOf") { // at random, alternatives overlap
		return ""
	}
	return err.Error()
}
