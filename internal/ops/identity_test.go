package ops

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"image"
	"math"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"impasto/internal/pure"
)

// leaves are inputs of one graph. Asking for the same again gives the same.
type leaves struct{ g *gorgonia.ExprGraph }

func (l leaves) of(dtype tensor.Dtype, shape ...int) *gorgonia.Node {
	return gorgonia.NewTensor(l.g, dtype, len(shape), gorgonia.WithShape(shape...), gorgonia.WithName(fmt.Sprint(dtype, shape)))
}

func (l leaves) features() *gorgonia.Node { return l.of(tensor.Float32, 3, 4, 5) }

func (l leaves) target() *gorgonia.Node { return l.of(tensor.Float32, 3, 1, 6) }

func (l leaves) scalar(name string) *gorgonia.Node {
	return gorgonia.NewScalar(l.g, tensor.Float64, gorgonia.WithName(name))
}

// constructor is a function that adds an operation to a graph, and parameters that it
// takes; nil where it takes none.
type constructor struct {
	name       string
	parameters any
	apply      func(l leaves, parameters any) (*gorgonia.Node, error)
}

// construct is a constructor of parameters of one type.
func construct[P any](name string, parameters P, apply func(l leaves, parameters P) (*gorgonia.Node, error)) constructor {
	return constructor{name, parameters, func(l leaves, p any) (*gorgonia.Node, error) { return apply(l, p.(P)) }}
}

func constructComparison[L pure.Comparison](of L, length int) constructor {
	return construct("Compare", of, func(l leaves, of L) (*gorgonia.Node, error) {
		summary := l.of(tensor.Float64, length)
		return Compare(of, summary, summary)
	})
}

func constructClouds[L pure.CloudLoss](of L) constructor {
	return construct("CompareClouds", of, func(l leaves, of L) (*gorgonia.Node, error) {
		return CompareClouds(of, CloudOperands{X: l.features(), Target: l.target()})
	})
}

func constructors() []constructor {
	border := pure.Border{Colour: []float32{1, 2, 3}}
	selection := pure.Selection{
		Height: 4, Width: 5, Mask: []int32{1, 2, 7}, Most: 2, Part: image.Rect(0, 0, 5, 4), Inner: image.Rect(0, 0, 5, 2),
	}
	return []constructor{
		construct("Convolve", ConvolutionForm{Border: border}, func(l leaves, f ConvolutionForm) (*gorgonia.Node, error) {
			return Convolve(l.features(), l.of(tensor.Float32, 3, 3, 3, 3), l.of(tensor.Float32, 3), f.Border, f.Rectify)
		}),
		construct("ConvolveGradient", border, func(l leaves, b pure.Border) (*gorgonia.Node, error) {
			return ConvolveGradient(l.features(), nil, l.of(tensor.Float32, 3, 3, 3, 3), b, false)
		}),
		construct("ApplyPool", PoolForm{Scale: 1}, func(l leaves, f PoolForm) (*gorgonia.Node, error) {
			return ApplyPool(l.features(), f.Mode, f.Scale)
		}),
		construct("Select", selection, func(l leaves, s pure.Selection) (*gorgonia.Node, error) {
			return Select(s, l.features(), nil)
		}),
		construct("SummariseMoments", MomentsForm{}, func(l leaves, f MomentsForm) (*gorgonia.Node, error) {
			return SummariseMoments(l.features(), f.Diagonal)
		}),
		construct("SummariseWeighted", WeightedMomentsForm{Total: 1}, func(l leaves, f WeightedMomentsForm) (*gorgonia.Node, error) {
			return SummariseWeighted(l.features(), l.of(tensor.Float32, 1, 4, 5), f)
		}),
		construct("CompareSliced", pure.Sliced{Channels: 3, Directions: 2}, func(l leaves, s pure.Sliced) (*gorgonia.Node, error) {
			return CompareSliced(s, l.features(), l.target(), l.scalar("key"))
		}),
		construct("ApplySoftmin", pure.Sinkhorn{Channels: 3}, func(l leaves, s pure.Sinkhorn) (*gorgonia.Node, error) {
			return ApplySoftmin(s, CloudOperands{X: l.features(), Target: l.target()})
		}),
		construct("CompareMaps", pure.Difference{}, func(l leaves, d pure.Difference) (*gorgonia.Node, error) {
			return CompareMaps(d, l.features(), l.features())
		}),
		construct("WeightedSum", []float64{1, 2}, func(l leaves, weights []float64) (*gorgonia.Node, error) {
			return WeightedSum(weights, l.scalar("a"), l.scalar("b"))
		}),
		constructComparison(pure.Gram{Channels: 3}, 12),
		constructComparison(pure.Gaussian{Channels: 3}, 12),
		constructComparison(pure.ChannelStatistics{Channels: 3}, 6),
		constructComparison(pure.CentralMoments{Channels: 3}, 15),
		constructComparison(pure.Difference{N: 3}, 3),
		constructClouds(pure.Sinkhorn{Channels: 3}),
		constructClouds(pure.Relaxed{Channels: 3}),
		constructClouds(pure.MMD{Channels: 3}),
		constructClouds(pure.Custom{Channels: 3, Function: &pure.Function{Name: "f"}}),
		{name: "SummarisePowers"}, {name: "SumDifference"}, {name: "TotalVariation"}, {name: "Rectify"},
	}
}

// TestOperationsThatDifferInAParameterNeverMerge changes every parameter of every
// operation, down to the elements of slices, one at a time: Gorgonia would give two
// operations that it takes for equal the same value.
func TestOperationsThatDifferInAParameterNeverMerge(t *testing.T) {
	for _, c := range constructors() {
		if c.parameters == nil {
			continue
		}
		t.Run(fmt.Sprintf("%s %T", c.name, c.parameters), func(t *testing.T) {
			changes := changed(reflect.ValueOf(c.parameters))
			if len(changes) == 0 {
				t.Fatal("no parameter was changed")
			}
			all := map[string]reflect.Value{"": reflect.ValueOf(c.parameters)}
			for path, value := range changes {
				all[path] = value
			}
			l := leaves{gorgonia.NewGraph()}
			seen := map[*gorgonia.Node]string{}
			identities := map[string]string{}
			for path, value := range all {
				identity := identify(value.Interface())
				if other, ok := identities[identity]; ok {
					t.Errorf("%q and %q changed have the identity %s", path, other, identity)
				}
				identities[identity] = path
				node, err := c.apply(l, value.Interface())
				if err != nil {
					continue // such a one doesn't go with these inputs
				}
				if other, ok := seen[node]; ok && c.name != "CompareMaps" {
					t.Errorf("%q and %q changed are one node, %v", path, other, node)
				}
				seen[node] = path
			}
			if len(seen) < 2 {
				t.Error("fewer than two could be applied")
			}
		})
	}
}

// changed returns a value with each of its parts changed, by the part's path.
func changed(v reflect.Value) map[string]reflect.Value {
	all := map[string]reflect.Value{}
	whole := func(path string, change func(reflect.Value)) {
		c := reflect.New(v.Type()).Elem()
		c.Set(v)
		change(c)
		all[path] = c
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			for path, field := range changed(v.Field(i)) {
				whole(v.Type().Field(i).Name+" "+path, func(c reflect.Value) { c.Field(i).Set(field) })
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			for path, element := range changed(v.Index(i)) {
				whole(fmt.Sprint(i, " ", path), func(c reflect.Value) {
					c.Set(reflect.AppendSlice(reflect.MakeSlice(v.Type(), 0, v.Len()), v))
					c.Index(i).Set(element)
				})
			}
		}
		whole("none", func(c reflect.Value) { c.SetZero() })
		if v.Len() > 0 {
			whole("empty", func(c reflect.Value) { c.Set(reflect.MakeSlice(v.Type(), 0, 0)) })
			whole("one more", func(c reflect.Value) { c.Set(reflect.Append(c, c.Index(0))) })
		}
	case reflect.Bool:
		whole("", func(c reflect.Value) { c.SetBool(!c.Bool()) })
	case reflect.Int, reflect.Int32:
		whole("", func(c reflect.Value) { c.SetInt(c.Int() + 1) })
	case reflect.Float32, reflect.Float64:
		// The least change that there is.
		whole("", func(c reflect.Value) { c.SetFloat(nextAfter(c)) })
	case reflect.Pointer:
		whole("", func(c reflect.Value) {
			c.Set(reflect.New(v.Type().Elem()))
			c.Elem().Set(v.Elem())
		})
	default:
		panic(fmt.Sprintf("no change is known of %v", v.Type()))
	}
	return all
}

// nextAfter is the next larger number of a value's type.
func nextAfter(v reflect.Value) float64 {
	if v.Kind() == reflect.Float32 {
		return float64(math.Nextafter32(float32(v.Float()), math.MaxFloat32))
	}
	return math.Nextafter(v.Float(), math.MaxFloat64)
}

// TestAllConstructorsAreKnown finds the exported functions of this package that add to
// a graph.
func TestAllConstructorsAreKnown(t *testing.T) {
	var known []string
	for _, c := range constructors() {
		known = append(known, c.name)
	}
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, declaration := range file.Decls {
			f, ok := declaration.(*ast.FuncDecl)
			if !ok || f.Recv != nil || !f.Name.IsExported() || f.Type.Results == nil {
				continue
			}
			pointer, ok := f.Type.Results.List[0].Type.(*ast.StarExpr)
			if !ok {
				continue
			}
			if s, ok := pointer.X.(*ast.SelectorExpr); ok && s.Sel.Name == "Node" {
				found++
				if !slices.Contains(known, f.Name.Name) {
					t.Errorf("%s isn't among the constructors of this test", f.Name.Name)
				}
			}
		}
	}
	if found == 0 {
		t.Error("found none")
	}
}
