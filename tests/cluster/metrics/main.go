// Command external-metrics serves external.metrics.k8s.io with values that a test writes into a file: a JSON
// object from a metric's name to its value, the same in every namespace. A metric that the file does not name has
// no value, as when nothing is scraped.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sort"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/metrics/pkg/apis/external_metrics"
	basecmd "sigs.k8s.io/custom-metrics-apiserver/pkg/cmd"
	"sigs.k8s.io/custom-metrics-apiserver/pkg/provider"
)

type file struct{ path string }

func (f file) values() (map[string]string, error) {
	text, err := os.ReadFile(f.path)
	if err != nil {
		return nil, err
	}
	values := map[string]string{}
	return values, json.Unmarshal(text, &values)
}

// GetExternalMetric returns the value of a metric; labels are taken as matching.
func (f file) GetExternalMetric(
	_ context.Context, _ string, _ labels.Selector, info provider.ExternalMetricInfo,
) (*external_metrics.ExternalMetricValueList, error) {
	values, err := f.values()
	if err != nil {
		return nil, err
	}
	text, known := values[info.Metric]
	if !known {
		return &external_metrics.ExternalMetricValueList{}, nil
	}
	value, err := resource.ParseQuantity(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %q: %w", info.Metric, text, err)
	}
	found := external_metrics.ExternalMetricValue{MetricName: info.Metric, Timestamp: metav1.Now(), Value: value}
	return &external_metrics.ExternalMetricValueList{Items: []external_metrics.ExternalMetricValue{found}}, nil
}

// ListAllExternalMetrics returns the metrics that have a value now.
func (f file) ListAllExternalMetrics() []provider.ExternalMetricInfo {
	values, err := f.values()
	if err != nil {
		return nil
	}
	found := make([]provider.ExternalMetricInfo, 0, len(values))
	for name := range values {
		found = append(found, provider.ExternalMetricInfo{Metric: name})
	}
	sort.Slice(found, func(i, j int) bool { return found[i].Metric < found[j].Metric })
	return found
}

func run() error {
	command := &basecmd.AdapterBase{Name: "external-metrics"}
	values := file{}
	command.Flags().StringVar(&values.path, "values", "", "the JSON file with the values")
	if err := command.Flags().Parse(os.Args); err != nil {
		return err
	}
	command.WithExternalMetrics(values)
	return command.Run(context.Background())
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
