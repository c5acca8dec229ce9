{{- /* The settings of costpolicy.runtime.settings; what equals the operator's own default is said all the same, so
that the rendered Deployment shows what runs. */ -}}
{{- define "operator.environment" -}}
- name: COSTPOLICY_IDENTITY
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
- name: COSTPOLICY_LEASE_NAMESPACE
  valueFrom:
    fieldRef:
      fieldPath: metadata.namespace
- name: COSTPOLICY_IMAGE
  value: {{ include "operator.image" . | quote }}
{{- with include "operator.routerImage" . }}
- name: COSTPOLICY_ROUTER_IMAGE
  value: {{ . | quote }}
{{- end }}
{{- with .Values.router.image.pullSecrets }}
- name: COSTPOLICY_ROUTER_IMAGE_PULL_SECRETS
  value: {{ range $place, $secret := . }}{{ if $place }},{{ end }}{{ $secret.name }}{{ end }}
{{- end }}
- name: COSTPOLICY_LEASE_NAME
  value: {{ include "operator.fullname" . }}
- name: COSTPOLICY_DEFAULT_ROLLOUT_MODE
  value: {{ .Values.defaultRolloutMode | quote }}
- name: COSTPOLICY_RESYNC_INTERVAL
  value: {{ .Values.resyncInterval }}
- name: COSTPOLICY_MAX_CONCURRENT_CHANGES
  value: {{ .Values.maxConcurrentChanges | quote }}
- name: COSTPOLICY_WORKERS
  value: {{ .Values.workers | quote }}
- name: COSTPOLICY_LOG_FORMAT
  value: {{ .Values.log.format }}
- name: COSTPOLICY_LOG_LEVEL
  value: {{ .Values.log.level }}
- name: COSTPOLICY_PROMETHEUS_TIMEOUT
  value: {{ .Values.prometheus.timeout }}
- name: COSTPOLICY_PROMETHEUS_RATE_WINDOW
  value: {{ .Values.prometheus.rateWindow }}
{{- with .Values.prometheus.url }}
- name: COSTPOLICY_PROMETHEUS_URL
  value: {{ . | quote }}
{{- end }}
{{- with .Values.prometheus.matchers }}
- name: COSTPOLICY_PROMETHEUS_MATCHERS
  value: {{ . | quote }}
{{- end }}
{{- with .Values.prometheus.tokenSecretRef }}
{{- if .name }}
- name: COSTPOLICY_PROMETHEUS_TOKEN_FILE
  value: /etc/costpolicy/prometheus-token/{{ default "token" .key }}
{{- end }}
{{- end }}
{{- with .Values.prometheus.caConfigMapRef }}
{{- if .name }}
- name: COSTPOLICY_PROMETHEUS_CA_FILE
  value: /etc/costpolicy/prometheus-ca/{{ default "ca.crt" .key }}
{{- end }}
{{- end }}
{{- with .Values.watchNamespaces }}
- name: COSTPOLICY_NAMESPACES
  value: {{ join "," . | quote }}
{{- end }}
{{- if .Values.allowHostAccess }}
- name: COSTPOLICY_ALLOW_HOST_ACCESS
  value: "true"
{{- end }}
{{- end }}
