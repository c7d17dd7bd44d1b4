package api

import (
	"encoding"
	"encoding/json"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
)

// withLists returns a copy of an answer in which no list is missing: what is empty
// is [], never null, as the description says. Nothing of the original is changed,
// which others may hold as well.
func withLists(_ huma.Context, _ string, v any) (any, error) {
	if v == nil {
		return nil, nil
	}
	return filled(reflect.ValueOf(v)).Interface(), nil
}

// speaksForItself: types that write their own JSON stay as they are.
func speaksForItself(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return p.Implements(reflect.TypeFor[json.Marshaler]()) || p.Implements(reflect.TypeFor[encoding.TextMarshaler]())
}

func filled(v reflect.Value) reflect.Value {
	t := v.Type()
	switch {
	case speaksForItself(t):
		return v
	case t.Kind() == reflect.Pointer && !v.IsNil():
		out := reflect.New(t.Elem())
		out.Elem().Set(filled(v.Elem()))
		return out
	case t.Kind() == reflect.Slice && t.Elem().Kind() != reflect.Uint8:
		out := reflect.MakeSlice(t, v.Len(), v.Len())
		for i := range v.Len() {
			out.Index(i).Set(filled(v.Index(i)))
		}
		return out
	case t.Kind() == reflect.Map:
		out := reflect.MakeMapWithSize(t, v.Len())
		for _, key := range v.MapKeys() {
			out.SetMapIndex(key, filled(v.MapIndex(key)))
		}
		return out
	case t.Kind() == reflect.Struct:
		out := reflect.New(t).Elem()
		out.Set(v)
		for i := range t.NumField() {
			if t.Field(i).IsExported() {
				out.Field(i).Set(filled(v.Field(i)))
			}
		}
		return out
	}
	return v
}

// neverNull takes null out of the lists of the description.
func neverNull(o *huma.OpenAPI) {
	seen := map[*huma.Schema]bool{}
	var walk func(*huma.Schema)
	walk = func(s *huma.Schema) {
		if s == nil || seen[s] {
			return
		}
		seen[s] = true
		if s.Type == huma.TypeArray {
			s.Nullable = false
		}
		walk(s.Items)
		for _, p := range s.Properties {
			walk(p)
		}
		if more, ok := s.AdditionalProperties.(*huma.Schema); ok {
			walk(more)
		}
	}
	for _, s := range o.Components.Schemas.Map() {
		walk(s)
	}
	for _, item := range o.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
			if op == nil {
				continue
			}
			for _, r := range op.Responses {
				for _, m := range r.Content {
					walk(m.Schema)
				}
			}
		}
	}
}
