{{- define "weighbridge.name" -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" }}
{{- end }}

{{- define "weighbridge.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{/* Labels of a process. Takes the root and the name of the process. */}}
{{- define "weighbridge.selector" -}}
app.kubernetes.io/name: weighbridge
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .process }}
{{- end }}

{{- define "weighbridge.labels" -}}
{{ include "weighbridge.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end }}

{{/* One variable from the Secret. Takes the root, the variable, and the key. */}}
{{- define "weighbridge.secret" -}}
- name: {{ .variable }}
  valueFrom: {secretKeyRef: {name: {{ required "secret is the name of an existing Secret" .root.Values.secret }}, key: {{ .key }}}}
{{- end }}

{{- define "weighbridge.settings" -}}
- {name: WEIGHBRIDGE_HOSTS, value: {{ required "host is the name people use" .Values.host | quote }}}
- {name: WEIGHBRIDGE_BASE_URL, value: {{ printf "https://%s" .Values.host | quote }}}
- {name: WEIGHBRIDGE_PROXIES, value: {{ .Values.proxies | quote }}}
{{ include "weighbridge.secret" (dict "root" . "variable" "BROKER_URL" "key" "brokerUrl") }}
{{- range $name, $value := .Values.settings }}
- {name: {{ $name }}, value: {{ $value | quote }}}
{{- end }}
{{- end }}

{{/* Variables of every process but benchmark workers, which hold no key. */}}
{{- define "weighbridge.keys" -}}
{{ include "weighbridge.secret" (dict "root" . "variable" "DATABASE_URL" "key" "databaseUrl") }}
{{ include "weighbridge.secret" (dict "root" . "variable" "WEIGHBRIDGE_SECRET_KEY" "key" "secretKey") }}
- {name: WEIGHBRIDGE_SIGNING_KEY, value: /etc/weighbridge/signing.pem}
{{- range $variable, $key := dict "AWS_ACCESS_KEY_ID" "artifactsKeyId" "AWS_SECRET_ACCESS_KEY" "artifactsKey" "EMAIL_URL" "emailUrl" "OIDC_CLIENT_SECRET" "oidcClientSecret" "WEIGHBRIDGE_SECRET_KEY_FALLBACKS" "secretKeyFallbacks" }}
- name: {{ $variable }}
  valueFrom: {secretKeyRef: {name: {{ $.Values.secret }}, key: {{ $key }}, optional: true}}
{{- end }}
{{- end }}

{{- define "weighbridge.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "weighbridge.security" -}}
allowPrivilegeEscalation: false
capabilities: {drop: [ALL]}
{{- end }}

{{- define "weighbridge.claim" -}}
{{ (index .root.Values.storage .name).existingClaim | default (printf "%s-%s" (include "weighbridge.name" .root) .name) }}
{{- end }}

{{/* Not empty if artifacts are in a bucket. */}}
{{- define "weighbridge.hasBucket" -}}
{{ get .Values.settings "WEIGHBRIDGE_ARTIFACTS" }}
{{- end }}

{{- define "weighbridge.mounts" -}}
- {name: kept, mountPath: /var/lib/weighbridge}
{{- if not (include "weighbridge.hasBucket" .) }}
- {name: artifacts, mountPath: /var/lib/weighbridge/artifacts}
{{- end }}
- {name: signing, mountPath: /etc/weighbridge, readOnly: true}
{{- end }}

{{- define "weighbridge.volumes" -}}
- name: kept
  persistentVolumeClaim: {claimName: {{ include "weighbridge.claim" (dict "root" . "name" "kept") }}}
{{- if not (include "weighbridge.hasBucket" .) }}
- name: artifacts
  persistentVolumeClaim: {claimName: {{ include "weighbridge.claim" (dict "root" . "name" "artifacts") }}}
{{- end }}
{{ include "weighbridge.signing" . }}
{{- end }}

{{- define "weighbridge.signing" -}}
- name: signing
  secret:
    secretName: {{ .Values.secret }}
    defaultMode: 0440
    items: [{key: signing.pem, path: signing.pem}]
{{- end }}
