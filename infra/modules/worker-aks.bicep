// A Kubernetes cluster with KEDA and a pool of GPU machines that is empty while nothing waits. What runs in it:
// infra/kubernetes/overlays/aks.

import { roles } from '../names.bicep'

param location string
param tags object
param names object

@description('Machine with the card: an A100 with 80 GB, or Standard_NV36ads_A10_v5 with 24.')
param gpuMachine string

@description('Such machines at most.')
@minValue(1)
param maximumWorkers int

@description('Spot machines cost a third and may be taken away with 30 s of notice; a training then goes on from its checkpoint.')
param spot bool

resource worker 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: names.workerIdentity
}

resource scaler 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: names.scalerIdentity
}

resource registry 'Microsoft.ContainerRegistry/registries@2025-04-01' existing = {
  name: names.registry
}

resource cluster 'Microsoft.ContainerService/managedClusters@2026-06-01' = {
  name: names.cluster
  location: location
  tags: tags
  identity: { type: 'SystemAssigned' }
  sku: { name: 'Base', tier: 'Free' }
  properties: {
    dnsPrefix: names.cluster
    disableLocalAccounts: true
    aadProfile: { managed: true, enableAzureRBAC: true }
    oidcIssuerProfile: { enabled: true }
    securityProfile: { workloadIdentity: { enabled: true } }
    workloadAutoScalerProfile: { keda: { enabled: true } }
    agentPoolProfiles: [
      { name: 'system', mode: 'System', count: 1, vmSize: 'Standard_D2as_v5', osType: 'Linux' }
    ]
  }
}

resource gpus 'Microsoft.ContainerService/managedClusters/agentPools@2026-06-01' = {
  parent: cluster
  name: 'gpu'
  properties: {
    mode: 'User'
    osType: 'Linux'
    vmSize: gpuMachine
    enableAutoScaling: true
    count: 0
    minCount: 0
    maxCount: maximumWorkers
    gpuProfile: { driver: 'Install' }
    scaleSetPriority: spot ? 'Spot' : 'Regular'
    scaleSetEvictionPolicy: spot ? 'Delete' : null
    nodeTaints: ['nvidia.com/gpu=present:NoSchedule']
    nodeLabels: { 'sdxl.serverless/gpu': 'true' }
  }
}

// The worker's service account, and KEDA's, which asks for the queue's length.
resource workerAccount 'Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials@2024-11-30' = {
  parent: worker
  name: 'aks-worker'
  properties: {
    issuer: cluster.properties.oidcIssuerProfile.issuerURL
    subject: 'system:serviceaccount:sdxl:gpu-worker'
    audiences: ['api://AzureADTokenExchange']
  }
}

resource kedaAccount 'Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials@2024-11-30' = {
  parent: scaler
  name: 'aks-keda'
  properties: {
    issuer: cluster.properties.oidcIssuerProfile.issuerURL
    subject: 'system:serviceaccount:kube-system:keda-operator'
    audiences: ['api://AzureADTokenExchange']
  }
}

resource pull 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(registry.id, names.cluster, 'acrPull')
  scope: registry
  properties: {
    principalId: cluster.properties.identityProfile.kubeletidentity.objectId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.acrPull)
    description: 'Cluster: its machines pull the worker\'s image.'
  }
}
