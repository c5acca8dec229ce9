{{- /* What rules are given to Prometheus as. */ -}}
{{- define "operator.rulesKind" -}}
{{- if ne .Values.rules.kind "Auto" -}}
{{ .Values.rules.kind }}
{{- else -}}
{{ ternary "PrometheusRule" "ConfigMap" (.Capabilities.APIVersions.Has "monitoring.coreos.com/v1/PrometheusRule") }}
{{- end -}}
{{- end }}
