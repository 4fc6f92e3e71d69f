package bench
import (
 "testing"
 "encoding/json"
 "fmt"
 "strings"
 "github.com/go-json-experiment/json/jsontext"
 "github.com/orgkeys/orgkeys-go/gen"
 "github.com/orgkeys/orgkeys-go/bench/hand"
)
func page() []byte {
 var b strings.Builder
 b.WriteString(`{"object":"list","data":[`)
 for i := range 100 {
  if i>0 {b.WriteByte(',')}
  fmt.Fprintf(&b, `{"object":"organization.admin_api_key","id":"key_%016d","name":"Service %d","redacted_value":"sk-admin...%03d","created_at":17114%05d,"last_used_at":1711471534,"owner":{"type":"user","object":"organization.user","id":"user_%d","name":"Robin Doe","created_at":1711471533,"role":"owner"}}`, i,i,i,i,i%7)
 }
 b.WriteString(`],"first_id":"key_abc","last_id":"key_xyz","has_more":true}`)
 return []byte(b.String())
}
func BenchmarkZZ(b *testing.B) {
 p := page()
 b.Run("valid", func(b *testing.B){ b.ReportAllocs(); for b.Loop() { if !jsontext.Value(p).IsValid() {b.Fatal()} } })
 b.Run("std-valid", func(b *testing.B){ b.ReportAllocs(); for b.Loop() { if !json.Valid(p) {b.Fatal()} } })
 b.Run("ours", func(b *testing.B){ b.ReportAllocs(); for b.Loop() { var v gen.APIKeyList; if err := v.UnmarshalJSON(p); err != nil {b.Fatal(err)} } })
 b.Run("hand", func(b *testing.B){ b.ReportAllocs(); for b.Loop() { var v hand.Page[hand.AdminKey]; if err := json.Unmarshal(p,&v); err != nil {b.Fatal(err)} } })
}
