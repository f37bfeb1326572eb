// Where the worker's image lies, near the machines that pull it.

import { roles } from '../names.bicep'

param location string
param tags object
param names object

@description('Premium streams large images, so that a GPU starts sooner; it costs ten times Basic.')
@allowed(['Basic', 'Standard', 'Premium'])
param size string

resource worker 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: names.workerIdentity
}

resource registry 'Microsoft.ContainerRegistry/registries@2025-04-01' = {
  name: names.registry
  location: location
  tags: tags
  sku: { name: size }
  properties: { adminUserEnabled: false }
}

resource pull 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(registry.id, names.workerIdentity, 'acrPull')
  scope: registry
  properties: {
    principalId: worker.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.acrPull)
    description: 'Worker: its own image.'
  }
}

output endpoint string = registry.properties.loginServer
